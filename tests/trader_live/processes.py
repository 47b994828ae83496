"""Live traders as real processes, at the exchange and on the database of a stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.trader.running import Trader, environment, rows
from tests.trader_live.stage import BALANCE, ID

if TYPE_CHECKING:
    from tests.trader_live.stage import Stage

_STRATEGY = '''"""Says at each candle what its volume is, as the stage's own strategy does."""

import pandas as pd


class Scripted:
    warmup = 1

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        said = candles["volume"].map({0.0: "hold", 1.0: "buy", 2.0: "sell"})
        return pd.DataFrame({"signal": said, "reason": "said " + said}, index=candles.index)
'''


class LiveTrader:
    """The trader of a stage, started again and again as one container would be; its keys are in files."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage = stage
        self._folder = folder
        self.log = folder / "live.log"
        self.process: Trader | None = None
        strategies = folder / "strategies"
        strategies.mkdir()
        (strategies / "scripted.py").write_text(_STRATEGY, encoding="utf-8")
        (folder / "trader.yml").write_text("strategy: scripted:Scripted\n", encoding="utf-8")
        for name, text in stage.credentials.items():
            (folder / name).write_text(f"{text}\n", encoding="utf-8")

    def settings(self, **changed: str) -> dict[str, str]:
        """What its container would be given; an empty variable is one that is not there."""
        exchange = self._stage.exchange
        given = {
            "CONFIG_FILE": str(self._folder / "trader.yml"),
            "STRATEGY_ID": ID,
            "EXCHANGE": exchange,
            "SYMBOL": self._stage.symbol,
            "TIMEFRAME": "1m",
            "MODE": "live",
            "LIVE_CONFIRM": ID,
            "STARTING_BALANCE": str(BALANCE),
            "STAKE_AMOUNT": "1000",
            "MAX_SIGNAL_AGE_S": "7200",  # the stage's candles close in the future, or long ago
            f"{exchange.upper()}_API_KEY_FILE": str(self._folder / "apiKey"),
            f"{exchange.upper()}_API_SECRET_FILE": str(self._folder / "secret"),
        }
        given |= self._stage.practice.environment | changed
        return {name: text for name, text in given.items() if text}

    def start(self, **changed: str) -> Trader:
        """Starts it, and does not wait."""
        self.process = Trader(self._stage.url, self.log, **self.settings(**changed))
        return self.process

    def environment(self, **changed: str) -> dict[str, str]:
        """The same for a process that the test starts itself."""
        return environment(self._stage.url, **self.settings(**changed))

    def kill(self) -> None:
        """SIGKILL, wherever it is."""
        if self.process is not None:
            self.process.kill()

    @property
    def said(self) -> str:
        """Its log, of all its lives."""
        return self.log.read_text(encoding="utf-8")

    @property
    def command_line(self) -> str:
        """What everybody on this machine can see of it."""
        assert self.process is not None
        return Path(f"/proc/{self.process.process.pid}/cmdline").read_text(encoding="utf-8")


def state(stage: Stage) -> str:
    """What its heartbeat says."""
    found = rows(
        stage.database, f"SELECT state || ':' || detail FROM heartbeats WHERE daemon = '{ID}'"
    )
    return str(found[0][0]) if found else ""


def is_settled(stage: Stage, candle: int) -> bool:
    """Whether that candle has its signal, and no order is on its way; both are written in one transaction."""
    has_signal = rows(stage.database, f"SELECT 1 FROM signals WHERE timestamp = {candle}")
    return bool(has_signal) and not has_undone(stage)


def has_undone(stage: Stage) -> bool:
    """Whether an order is on its way."""
    return bool(rows(stage.database, "SELECT 1 FROM orders WHERE status IN ('new', 'open')"))
