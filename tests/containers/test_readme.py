"""What the README and docs/STRATEGIES.md say of the compose file."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.containers.running import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.containers


def services_with_the_trader_of(document: str, tmp_path: Path) -> dict[str, Any]:
    """The compose file's services after the reader has added the lines of a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(  trader-.*?)```", text, re.DOTALL)
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
    services: dict[str, Any] = json.loads(done.stdout)["services"]
    return services


@pytest.mark.parametrize(
    ("document", "name", "own"),
    [
        (
            "README.md",
            "trader-sol-binance-5m",
            {"EXCHANGE": "binance", "SYMBOL": "SOL/USDT", "TIMEFRAME": "5m"},
        ),
        ("docs/STRATEGIES.md", "trader-cross-btc", {"CONFIG_FILE": "config/cross.yml"}),
    ],
)
def test_a_documents_trader_is_a_trader_like_the_others(tmp_path, document, name, own):
    services = services_with_the_trader_of(document, tmp_path)
    added, first = services[name], services["trader-btc-binance-1h"]
    market = {"EXCHANGE", "SYMBOL", "TIMEFRAME"}
    shared = {key: value for key, value in first["environment"].items() if key not in market}
    assert added["environment"] == shared | own
    assert {key: added[key] for key in added if key != "environment"} == {
        key: first[key] for key in first if key != "environment"
    }
