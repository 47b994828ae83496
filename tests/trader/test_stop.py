"""The wish that a trader ends."""

from __future__ import annotations

import os
import resource

import pytest

from trader.stop import Stop

MANY = 1100  # files; select() knows numbers below 1,024 only


@pytest.fixture
def many_files():
    """A process that has more files open than select() can tell apart."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * MANY:
        pytest.skip(f"needs {2 * MANY} open files, this machine allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * MANY), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(MANY)]
    yield
    for descriptor in opened:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_is_set_once_and_for_good(many_files):
    stop = Stop()
    assert not stop.is_set()
    assert not stop.wait(0.01)
    stop.set()
    stop.set()
    assert stop.is_set()
    assert stop.wait(60)
