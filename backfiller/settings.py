"""What the user has configured: `config/backfiller.yml`, with the environment over it."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from backfiller.upkeep.settings import UpkeepSettings
from common.candle import FIRST_MARKET
from common.errors import ConfigurationError
from common.exchange import is_known
from common.given import require_variables
from common.partition import Partition, check_exchange, check_symbol
from common.settings import Settings, load
from common.timeframe import Timeframe  # noqa: TC001 - pydantic reads it at run time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_FILE = Path("config/backfiller.yml")
_VARIABLES = {"CLOCK_SPEED": "clock_speed", "TICKER_INTERVAL_S": "ticker_interval_s"}
_DURATION = re.compile(r"([1-9]\d{0,5})([hdw])")
_UNITS = {"h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_LONGEST = 36_525 * 86_400_000  # a hundred years, in milliseconds
_HOUR_S, _DAY_S = 3600.0, 86_400.0
_MOST_SPEED = 100_000.0  # as fast as a practice exchange can be


def _duration(given: Any) -> int:
    """A duration such as 90d, in milliseconds."""
    match = _DURATION.fullmatch(str(given))
    if not match:
        raise ValueError("a duration such as 36h, 90d or 12w")
    found = int(match[1]) * _UNITS[match[2]]
    if found > _LONGEST:
        raise ValueError("a duration of at most 100 years, such as 36h, 90d or 12w")
    return found


def _moment(given: Any) -> int:
    """A date, or a moment, UTC unless it says otherwise, in milliseconds since 1970."""
    try:
        found = datetime.fromisoformat(str(given))  # YAML makes a date of what looks like one
    except ValueError:
        raise ValueError("a date such as 2025-01-01") from None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    timestamp = int(aware.timestamp() * 1000)
    if timestamp < FIRST_MARKET:
        raise ValueError("a date from 2009-01-03 on, such as 2025-01-01")
    return timestamp


def _formed(check: Callable[[str], str], expected: str) -> Callable[[str], str]:
    """That check, with the error that pydantic understands."""

    def checked(given: str) -> str:
        try:
            return check(given)
        except ConfigurationError:
            raise ValueError(expected) from None

    return checked


def _known(exchange: str) -> str:
    if not is_known(check_exchange(exchange)):
        raise ConfigurationError(f"exchange: found {exchange!r}")
    return exchange


Duration = Annotated[int, BeforeValidator(_duration)]
Moment = Annotated[int, BeforeValidator(_moment)]
Exchange = Annotated[
    str, AfterValidator(_formed(_known, "an exchange id that ccxt knows, such as binance"))
]
Symbol = Annotated[str, AfterValidator(_formed(check_symbol, "BASE/QUOTE such as BTC/USDT"))]


class PartitionSettings(Settings):
    """One partition to keep, and how far back: the default, its own `history`, or `since`."""

    exchange: Exchange
    symbol: Symbol
    timeframe: Timeframe
    history: Duration | None = None
    since: Moment | None = None

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if self.history is not None and self.since is not None:
            raise ValueError("history or since, not both")
        return self

    @property
    def partition(self) -> Partition:
        """Which one it is."""
        return Partition(self.exchange, self.symbol, self.timeframe)


class RetentionSettings(Settings):
    """How long the database keeps candles before the archive does: `default`, or of one timeframe."""

    default: Duration = 92 * _UNITS["d"]
    m1: Duration | None = Field(default=None, alias="1m")
    m5: Duration | None = Field(default=None, alias="5m")
    m15: Duration | None = Field(default=None, alias="15m")
    h1: Duration | None = Field(default=None, alias="1h")
    h4: Duration | None = Field(default=None, alias="4h")
    d1: Duration | None = Field(default=None, alias="1d")

    def span(self, timeframe: Timeframe) -> int:
        """How long, in milliseconds."""
        own: int | None = getattr(self, timeframe.name.lower())
        return self.default if own is None else own


class BackfillerSettings(Settings):
    """The backfiller's configuration. Durations are in milliseconds, `_s` in seconds."""

    partitions: tuple[PartitionSettings, ...] = ()
    history: Duration = 90 * _UNITS["d"]
    retention: RetentionSettings = RetentionSettings()
    upkeep: UpkeepSettings = UpkeepSettings()
    ticker_interval_s: float = Field(default=10.0, ge=0.1, le=_DAY_S)
    ticker_history: Duration = _UNITS["d"]
    clock_interval_s: float = Field(default=60.0, ge=1.0, le=_HOUR_S)
    registration_poll_s: float = Field(default=1.0, ge=0.1, le=_HOUR_S)
    request_timeout_s: float = Field(default=20.0, ge=0.5, le=_HOUR_S)
    clock_speed: float = Field(default=1.0, gt=0.0, le=_MOST_SPEED)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen = set()
        for number, wanted in enumerate(self.partitions):
            if wanted.partition in seen:
                raise ValueError(
                    f"partitions.{number}: expected each partition once, found {wanted.partition} again"
                )
            seen.add(wanted.partition)
        return self


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    """`BACKFILLER_CONFIG`, or the default.

    Raises:
        ConfigurationError: it is too long for a file's name, or no text.
    """
    require_variables(environment, ["BACKFILLER_CONFIG"])
    return Path(environment.get("BACKFILLER_CONFIG") or DEFAULT_FILE)


def load_settings(environment: Mapping[str, str] = os.environ) -> BackfillerSettings:
    """The configuration of this process.

    Raises:
        ConfigurationError: one line for each key that is wrong.
    """
    return load(
        BackfillerSettings,
        file=config_file(environment),
        environment=environment,
        variables=_VARIABLES,
    )
