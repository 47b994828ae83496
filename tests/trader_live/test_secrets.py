"""Keys are in no log, event, order, switch, heartbeat or backup, whatever goes wrong with them, at any log level."""

from __future__ import annotations

import base64
import gzip
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from candlewell.backup.making import make_backup
from tests.practice.running import Practice
from tests.trader.running import ROOT, environment, eventually, rows
from tests.trader_live.processes import LiveTrader, is_settled, state
from tests.trader_live.stage import BUY, HOLD, SELL, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, SECRET = "key-8f2d1c", "secret-5b7e90"
WRONG_KEY, WRONG_SECRET = "wrong-key-41aa", "wrong-secret-77c3"
PAIRS = {"right": (KEY, SECRET), "wrong secret": (KEY, WRONG_SECRET), "wrong key": (WRONG_KEY, SECRET)}  # fmt: skip
WITHIN_S = 90.0


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    exchange = Practice("--key", f"{KEY}:{SECRET}", "--balance", "USD=100000", "--balance", "USDT=100000")  # fmt: skip
    yield exchange
    exchange.stop()


@pytest.fixture
def stage(practice, exchange, database_url) -> Iterator[Stage]:
    practice.ask("faults", "DELETE")
    made = Stage(practice, exchange, database_url, credentials(exchange, KEY, SECRET))
    yield made
    practice.ask("faults", "DELETE")
    made.close()


def credentials(exchange: str, key: str, secret: str) -> dict[str, str]:
    if exchange == "kraken":
        secret = base64.b64encode(secret.encode()).decode()
    return {"apiKey": key, "secret": secret}


class Watched:
    """A live trader with one of the pairs, which tells everything."""

    def __init__(self, stage: Stage, folder: Path, pair: str) -> None:
        self.stage = stage
        folder.mkdir()
        self._trader = LiveTrader(stage, folder)
        self._hidden: set[str] = set()
        for word in (KEY, SECRET, WRONG_KEY, WRONG_SECRET):
            self._hidden |= {word, base64.b64encode(word.encode()).decode()}
        for name, text in credentials(stage.exchange, *PAIRS[pair]).items():
            (folder / name).write_text(text, encoding="utf-8")

    def start(self, **variables: str) -> None:
        self.stage.say(HOLD)
        self._trader.start(LOG_LEVEL="debug", **variables)

    def stop(self) -> None:
        assert self._trader.process is not None
        assert self._trader.process.stop() == 0

    def kill(self) -> None:
        self._trader.kill()

    @property
    def said(self) -> str:
        return self._trader.said

    def require_hidden(self, folder: Path) -> None:
        """Looks through all that it leaves behind, and a backup of it."""
        database = self.stage.database.path
        backup = make_backup(database, folder).backup.path
        kept = {path.name: _unpacked(path) for path in backup.rglob("*") if path.is_file()}
        assert {"trading.db.gz", "manifest.json"} <= kept.keys()
        left = [path for path in database.parent.iterdir() if path.is_file()]
        seen = kept | {path.name: path.read_bytes() for path in left}
        seen |= {"log": self.said.encode(), "command line": self._trader.command_line.encode()}
        assert {"trading.db", "log"} <= seen.keys()
        for where, content in seen.items():
            for word in self._hidden:
                assert word.encode() not in content, f"{word} in {where}"


def _unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.fixture
def watched(stage, tmp_path, request) -> Iterator[Watched]:
    made = Watched(stage, tmp_path / "trader", getattr(request, "param", "right"))
    yield made
    made.kill()


def test_a_round_trip_with_a_lost_reply_and_a_hang_shows_no_key(watched, stage, practice, tmp_path):
    watched.start()
    eventually(lambda: state(stage) == "running:", within_s=WITHIN_S)
    for said, fault in ((BUY, {"kind": "lose_reply"}), (SELL, {"kind": "hang"})):
        practice.suffer(**fault, endpoint="place_order", exchange=stage.exchange)
        stage.say(said)
        eventually(partial(is_settled, stage, stage.next - 60_000), within_s=WITHIN_S)
    assert "order_found" in watched.said
    watched.require_hidden(tmp_path / "backups")
    watched.stop()


@pytest.mark.parametrize("watched", ["wrong secret", "wrong key"], indirect=True)
def test_a_pair_that_the_exchange_refuses_is_told_of_and_not_shown(watched, stage, tmp_path):
    """A signature that does not fit, and a key that is not known: at the start, when balances are asked for."""
    watched.start()
    eventually(lambda: "the exchange: " in state(stage), within_s=WITHIN_S)
    watched.require_hidden(tmp_path / "backups")
    watched.stop()


def test_an_exchange_that_repeats_the_key_in_its_refusal_does_not_bring_it_into_the_books(
    watched, stage, practice, tmp_path
):
    watched.start()
    eventually(lambda: state(stage) == "running:", within_s=WITHIN_S)
    words = f"no permission for {KEY}"
    refusal = {
        "binance": {"status": 400, "body": {"code": -1013, "msg": words}},
        "coinbase": {"status": 400, "body": {"error": "INVALID_ARGUMENT", "message": words}},
        "kraken": {"status": 200, "body": {"error": [f"EGeneral:{words}"]}},
    }[stage.exchange]
    practice.suffer(kind="status", endpoint="place_order", exchange=stage.exchange, **refusal)
    stage.say(BUY)
    refused = "SELECT failure FROM orders WHERE status = 'rejected'"
    eventually(lambda: rows(stage.database, refused), within_s=WITHIN_S)
    [(failure,)] = rows(stage.database, refused)
    assert "no permission for ***" in str(failure)
    watched.require_hidden(tmp_path / "backups")
    watched.stop()


def test_a_backfiller_and_a_paper_trader_take_no_notice_of_a_key(practice, database_url):
    """Even where one was put into the environment of all: they do not read it, so they cannot tell it."""
    keys = {f"{name}_API_KEY": KEY for name in ("BINANCE", "COINBASE", "KRAKEN")}
    keys |= {f"{name}_API_SECRET": SECRET for name in ("BINANCE", "COINBASE", "KRAKEN")}
    given = environment(database_url, LOG_LEVEL="debug", **practice.environment, **keys)
    practice.suffer(kind="status", status=401, body={"code": -2015, "msg": "Invalid API-key"})
    said = ""
    for words in (["backfiller", "--once"], ["trader", "--once"]):
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=given,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        said += done.stdout + done.stderr
        assert done.returncode in {0, 1}, said
    assert "trader-btc-binance-1h" in said
    folder = Path(database_url.removeprefix("sqlite:///")).parent
    files = [path for path in folder.iterdir() if path.is_file()]
    assert files
    said += "".join(path.read_bytes().decode("latin-1") for path in files)
    for word in (KEY, SECRET):
        assert word not in said
