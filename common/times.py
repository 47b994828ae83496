"""Times as people type and read them, and as programs do. All are milliseconds UTC since 1970."""

from __future__ import annotations

from datetime import UTC, datetime

from common.errors import ConfigurationError
from common.shown import shown

# From the year 1 to 9999, in milliseconds: what can be written as a date.
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999


def parse_time(text: str) -> int:
    """Milliseconds UTC, of themselves or of ISO 8601; UTC where that names no zone.

    Raises:
        ValueError: it is neither.
    """
    text = text.strip()
    if text.isdecimal() and len(text) <= len(str(_LAST)) and int(text) <= _LAST:
        return int(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"expected a time such as 2025-01-31 or 2025-01-31T12:00, found {shown(text)}"
        ) from None
    time = time.replace(tzinfo=time.tzinfo or UTC)
    return min(max(round(time.timestamp() * 1000), _FIRST), _LAST)  # a zone may lead out of them


def utc(timestamp: int, *, seconds: bool = False) -> str:
    """A time for people: to the minute, or to the second if it has some, or if all of a column are to have them."""
    time = datetime.fromtimestamp(timestamp // 1000, UTC).replace(tzinfo=None)
    return time.isoformat(sep=" ", timespec="seconds" if seconds or time.second else "minutes")


def iso(timestamp: int) -> str:
    """A time for programs: ISO 8601, to the millisecond."""
    time = datetime.fromtimestamp(timestamp // 1000, UTC).replace(tzinfo=None)
    return f"{time.isoformat(timespec='seconds')}.{timestamp % 1000:03}Z"


def span_of(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """What `--since` and `--until` say.

    Raises:
        ConfigurationError: one is no time, or they are the wrong way round.
    """
    first, last = _time("--since", since), _time("--until", until)
    if first is not None and last is not None and first > last:
        raise ConfigurationError(
            f"--since: expected a time before --until, which is {utc(last)}, found {utc(first)}"
        )
    return first, last


def _time(key: str, text: str | None) -> int | None:
    try:
        return None if text is None else parse_time(text)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(f"{key}: {error}") from None
