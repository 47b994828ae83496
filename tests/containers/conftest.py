"""Container tests need a Docker engine: elsewhere they are skipped by name, in CI that is a failure."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

import schema
from tests.containers.running import ROOT, ContainerSuite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.database import Database

_IN = "containers"
_REQUIRED = ("CI", "CANDLEWELL_REQUIRE_CONTAINERS")


@pytest.fixture(scope="session")
def engine() -> None:
    why = _what_is_missing()
    if why is None:
        return
    if any(os.environ.get(name, "").lower() in {"1", "true"} for name in _REQUIRED):
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


def _what_is_missing() -> str | None:
    for command in (["docker", "version"], ["docker", "compose", "version"]):
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        except (OSError, subprocess.SubprocessError) as error:
            return f"needs a Docker engine with Compose: `{' '.join(command)}` failed: {error}"
    return None


@pytest.fixture(scope="session")
def image(engine) -> str:
    """The image, built from this tree as a user builds it."""
    done = subprocess.run(
        ["docker", "compose", "build"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return "candlewell"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts those last that share the running suite, so that it does not run beside what others measure."""
    items.sort(key=_shares_the_suite)


def _shares_the_suite(item: pytest.Item) -> bool:
    has_its_own = hasattr(getattr(item, "module", None), "suite")
    return (
        "suite" in getattr(item, "fixturenames", ()) and not has_its_own and _IN in item.path.parts
    )


@pytest.fixture(scope="session")
def suite(image, tmp_path_factory) -> Iterator[ContainerSuite]:
    """The practice suite, up and healthy; tests leave it so."""
    running = ContainerSuite(f"candlewell-test-{os.getpid()}", tmp_path_factory.mktemp("data"))
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture
def database(suite) -> Iterator[Database]:
    opened = schema.open_database(suite.database_url)
    yield opened
    opened.close()
