"""Whatever happens to a trader, the audit of what it wrote finds nothing that has no known cause."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trader.market import new_database
from tests.trader.test_restart import ALL_RULES, events
from tests.trader_audit.playing import AuditedPlay, differences

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    new_database(folder)
    return folder / "trading.db"


@settings(max_examples=60, deadline=None)
@given(story=events, rules=st.sampled_from(ALL_RULES), restarts=st.booleans())
def test_the_audit_of_any_story_finds_nothing_without_a_known_cause(made, story, rules, restarts):
    with tempfile.TemporaryDirectory() as folder:
        play = AuditedPlay(made, folder, rules)
        play.tell(story, rules, restarts=restarts)
        found = differences(play.market)
        play.market.close()
    assert [one for one in found if one.cause is None] == []
