"""What the README says of the compose file."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.containers.running import ROOT

pytestmark = pytest.mark.containers


def test_the_readmes_fourth_trader_is_a_trader_like_the_others(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(  trader-.*?)```", readme, re.DOTALL)
    assert block is not None
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    file = tmp_path / "docker-compose.yml"
    file.write_text(
        compose.replace("\nservices:\n", f"\nservices:\n{block[1]}\n", 1), encoding="utf-8"
    )
    done = subprocess.run(
        ["docker", "compose", "-f", str(file), "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    services = json.loads(done.stdout)["services"]
    fourth, first = services["trader-sol-binance-5m"], services["trader-btc-binance-1h"]
    market = {"EXCHANGE": "binance", "SYMBOL": "SOL/USDT", "TIMEFRAME": "5m"}
    assert fourth["environment"] == first["environment"] | market
    assert {key: fourth[key] for key in fourth if key != "environment"} == {
        key: first[key] for key in first if key != "environment"
    }
