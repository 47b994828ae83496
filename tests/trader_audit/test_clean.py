"""Whatever happens to a trader, the audit of what it wrote finds nothing that has no known cause."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trader.market import new_database
from tests.trader.test_restart import ALL_RULES, events
from tests.trader_audit.piecemeal import Piecemeal
from tests.trader_audit.playing import AuditedPlay, differences

if TYPE_CHECKING:
    from pathlib import Path

    from trader.audit.difference import Difference


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    new_database(folder)
    return folder / "trading.db"


def unexplained(play: AuditedPlay) -> list[Difference]:
    found = differences(play.market)
    play.market.close()
    return [one for one in found if one.cause is None]


@settings(max_examples=25, deadline=None)
@given(story=events, rules=st.sampled_from(ALL_RULES), restarts=st.booleans())
def test_the_audit_of_any_story_finds_nothing_without_a_known_cause(made, story, rules, restarts):
    with tempfile.TemporaryDirectory() as folder:
        play = AuditedPlay(made, folder, rules)
        play.tell(story, rules, restarts=restarts)
        assert unexplained(play) == []


@settings(max_examples=15, deadline=None)
@given(story=events, rules=st.sampled_from(ALL_RULES), restarts=st.booleans())
def test_nor_does_it_where_orders_are_filled_in_parts_and_fees_taken_from_what_is_bought(
    made, story, rules, restarts
):
    with tempfile.TemporaryDirectory() as folder:
        play = AuditedPlay(made, folder, rules, mode="live")
        play.tell(story, rules, restarts=restarts, broker=Piecemeal)
        assert unexplained(play) == []
