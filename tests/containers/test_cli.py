"""`candlewell` in containers: docker-compose run --rm cli ..."""

from __future__ import annotations

import json

import pytest

from tests.containers.running import TRADERS, wait_until

pytestmark = pytest.mark.containers

RUN = ("run", "--rm", "-T", "cli")


def test_the_status_of_the_suite_is_had_from_a_container_without_a_network(suite):
    def is_well() -> bool:
        status: int = suite.compose(*RUN, "status", "--json", check=False).returncode
        return status == 0

    wait_until("a status without a line that wants a person", is_well)
    found = json.loads(suite.compose(*RUN, "status", "--json").stdout)
    assert {own["strategy_id"] for own in found["strategies"]} == set(TRADERS)
    shown = suite.compose(*RUN, "status").stdout
    assert "all is well" in shown
    assert "Candles in the well" in shown  # drawn by rich, which no daemon finds
    assert suite.python("trader-btc-binance-1h", _HAS_RICH).strip() == "False"


def test_a_halt_from_a_container_is_obeyed_and_lifted(suite):
    suite.compose(*RUN, "halt", "--fleet", "--reason", "a test")
    done = suite.compose(*RUN, "status", "--json", check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["attention"]
    suite.compose(*RUN, "resume", "--fleet", "--reason", "over")


def test_a_running_container_has_the_command_too(suite):
    assert "strategy_id" in suite.compose("exec", "-T", "backfiller", "candlewell", "pnl").stdout


def test_it_is_not_started_with_the_suite(suite):
    assert suite.compose("ps", "--all", "--quiet", "cli").stdout == ""


_HAS_RICH = "import importlib.util; print(importlib.util.find_spec('rich') is not None)"
