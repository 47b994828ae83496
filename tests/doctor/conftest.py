from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

import schema
from candlewell.__main__ import main
from candlewell.backup.noting import SOURCE
from common.clock import MarketClock, wall_now
from common.events import EventLog
from common.exchange_status import Exchanges
from common.heartbeat import Heartbeat
from common.partition import Partition
from common.registry import Registration, Registry
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from common.database import Database

ROOT = Path(__file__).parents[2]
BTC = Partition("binance", "BTC/USDT", Timeframe.H1)


class Patient:
    """A set-up in which all is well until a test spoils something, and the doctor who looks at it."""

    def __init__(
        self, folder: Path, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.database = database
        self.registry = Registry(database)
        self._capsys = capsys

    def register(self, strategy_id: str, *, mode: str = "paper", exchange: str = "binance") -> None:
        from decimal import Decimal  # noqa: PLC0415

        partition = Partition(exchange, BTC.symbol, BTC.timeframe)
        self.registry.register(
            Registration(strategy_id, partition, "rsi", None, mode, {}, 281, Decimal(1000))
        )

    def beat(self, daemon: str, state: str = "ok", detail: str = "") -> None:
        Heartbeat(self.database, daemon, environment={}).beat(state, detail)

    def write(self, statement: str, **values: Any) -> None:
        with self.database.write() as connection:
            connection.execute(sa.text(statement), values)

    def look(self, *words: str) -> tuple[int, list[dict[str, str]]]:
        """The doctor's exit status, and all findings."""
        self._capsys.readouterr()
        status = main(["doctor", "--json", *words])
        told = json.loads(self._capsys.readouterr().out)
        assert told["ok"] == (status == 0)
        return status, told["findings"]

    def wrong(self, *words: str) -> dict[str, str]:
        """What is a warning or a problem: of each check that has one, all that it says of it."""
        _, findings = self.look(*words)
        told: dict[str, str] = {}
        for one in findings:
            if one["level"] in {"warning", "problem"}:
                line = f"{one['level']}: expected {one['expected']}, found {one['found']}; {one['advice']}"
                told[one["check"]] = "\n".join(filter(None, (told.get(one["check"]), line)))
        return told


@pytest.fixture
def patient(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Patient]:
    for name in list(os.environ):
        if "_API_" in name:
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("BACKFILLER_CONFIG", str(ROOT / "config/backfiller.yml"))
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    database = schema.open_database(database_url)
    found = Patient(tmp_path, database, capsys)
    found.register("a")
    found.registry.set_status("a", "running")
    found.beat("a", "running")
    found.beat("backfiller")
    exchanges = Exchanges(database)
    exchanges.record_clock("binance", MarketClock(wall_now() + 40, wall_now()))
    exchanges.require_source("binance", None)
    EventLog(database, SOURCE).keep("info", "backup_made", "a backup")
    yield found
    database.close()


@pytest.fixture
def wait() -> Callable[..., None]:
    from tests.health.daemon import until  # noqa: PLC0415

    return until
