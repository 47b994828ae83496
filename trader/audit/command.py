"""`python -m trader audit`: compares what a strategy wrote with a replay, and tells the differences."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from common.database import url_from
from common.errors import ConfigurationError
from schema import open_database
from trader.audit.audit import audit
from trader.audit.report import as_json, as_table
from trader.backtest.candles import iso, parse_time

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


def audited(given: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, bool]:
    """The audit that was asked for, as text; and whether each difference has a known cause.

    Raises:
        ConfigurationError: the user has to change something.
    """
    since, until = _time("--since", given.since), _time("--until", given.until)
    if since is not None and until is not None and since > until:
        raise ConfigurationError(
            f"--since: expected a time before --until, which is {iso(until)}, found {iso(since)}"
        )
    with closing(open_database(url_from(environment))) as database:
        found = audit(database, given.strategy_id, since, until)
    return (as_json(found) if given.json else as_table(found)), not found.unexplained


def _time(key: str, text: str | None) -> int | None:
    try:
        return None if text is None else parse_time(text)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(f"{key}: {error}") from None
