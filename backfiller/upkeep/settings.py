"""The key `upkeep` of the backfiller's configuration."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from common.settings import Settings

_SIZE = re.compile(r"(\d{1,6})([kMGT])B")
_DAY_S = 86_400.0
_UNITS = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def _size(given: Any) -> int:
    """A size such as 100MB, in bytes."""
    match = _SIZE.fullmatch(str(given))
    if not match:
        raise ValueError("a size such as 100MB or 2GB")
    return int(match[1]) * _UNITS[match[2]]


Size = Annotated[int, BeforeValidator(_size)]


class UpkeepSettings(Settings):
    """When to look after the database, and what room it needs. Sizes are in bytes, `_s` in seconds."""

    warn_free: Size = _UNITS["G"]
    warn_free_percent: float = Field(default=5.0, ge=0.0, le=100.0)
    stop_free: Size = 100 * _UNITS["M"]
    wal_limit: Size = 32 * _UNITS["M"]
    watch_interval_s: float = Field(default=5.0, ge=0.1, le=_DAY_S)
    checkpoint_interval_s: float = Field(default=30.0, ge=0.1, le=_DAY_S)
    daily_first_after_s: float = Field(default=300.0, ge=0.0, le=_DAY_S)
