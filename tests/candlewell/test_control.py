"""`candlewell halt` and `resume`: obeyed by traders that run."""

from __future__ import annotations

import sqlalchemy as sa

import schema
from tests.candlewell.conftest import wait_until

ONE = "trader-btc-binance-1h"


def heard(database, strategy_id: str) -> str:
    query = sa.select(schema.heartbeats.c.detail).where(schema.heartbeats.c.daemon == strategy_id)
    with database.read() as connection:
        return str(connection.execute(query).scalar_one())


def test_a_halt_is_obeyed_shown_and_lifted(suite, candlewell, database):
    assert candlewell("halt", ONE, "--reason", "a look").stdout == f"{ONE}: halted (a look)\n"
    wait_until("the trader to obey", lambda: "a look" in heard(database, ONE), suite=suite)
    assert f"{ONE}: halted: a look" in candlewell.json("status", status=1)["attention"]
    candlewell("resume", ONE, "--reason", "looked")
    wait_until("the trader to go on", lambda: "a look" not in heard(database, ONE), suite=suite)
    assert candlewell.json("status")["attention"] == []


def test_a_fleet_is_set_to_reduce_only(suite, candlewell, database):
    candlewell("halt", "--fleet", "--reduce-only", "--reason", "holidays")
    wait_until("a trader to obey", lambda: "holidays" in heard(database, ONE), suite=suite)
    lines = candlewell.json("status", status=1)["attention"]
    assert len(lines) == 3
    assert all(line.endswith(": reduce-only: holidays") for line in lines)
    candlewell("resume", "--fleet", "--reason", "back")


def test_a_mistake_among_several_names_sets_none(candlewell):
    line = candlewell.mistake("halt", ONE, "trader-btc-binance-1", "--reason", "x")
    assert line == (
        "candlewell: strategy_id: expected a registered strategy, found 'trader-btc-binance-1'; "
        f"did you mean {ONE!r}?"
    )
    assert candlewell.json("status")["attention"] == []


def test_a_halt_is_of_strategies_or_of_the_fleet(candlewell):
    for words, found in (((), "neither"), ((ONE, "--fleet"), "both")):
        assert candlewell.mistake("halt", *words, "--reason", "x") == (
            f"candlewell: STRATEGY_ID, --fleet: expected one of them, found {found}"
        )
