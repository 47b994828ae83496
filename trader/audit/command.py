"""`python -m trader audit`: compares what a strategy wrote with a replay, and tells the differences."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from common.database import url_from
from common.times import span_of
from schema import open_database
from trader.audit.audit import audit
from trader.audit.report import as_json, as_table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


def audited(given: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, bool]:
    """The audit that was asked for, as text; and whether each difference has a known cause.

    Raises:
        ConfigurationError: the user has to change something.
    """
    since, until = span_of(given.since, given.until)
    with closing(open_database(url_from(environment))) as database:
        found = audit(database, given.strategy_id, since, until)
    return (as_json(found) if given.json else as_table(found)), not found.unexplained
