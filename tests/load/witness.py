"""Who knows what was acknowledged: a reader that keeps each row it has seen, and the traders' own logs.

A row that another process can read is committed; and a trader logs a signal or a fill when the commit has returned. A kill
cannot take back either of them: what was read is in the memory of who read it, a line in a log was the kernel's when it was written.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from common.database import Database
    from tests.accelerated.truth import Verdict
    from tests.load.plan import Fleet

Row = tuple[Any, ...]
_DONE = ("filled", "canceled", "rejected")
# What of an order never changes; the rest does not either once it has ended.
_OF_ORDER = [
    column
    for column in schema.orders.columns
    if column.name not in {"status", "exchange_order_id", "failure", "updated_at"}
]


@dataclass(frozen=True, slots=True)
class _Sight:
    """Rows to look at: what of them stays as it is, and their keys; `grows_by` is what is larger in each later one."""

    what: str
    columns: list[sa.Column[Any]]
    key: list[sa.Column[Any]]
    grows_by: sa.Column[Any] | None  # None: they are few, and all are looked at
    where: sa.ColumnElement[bool] = field(default_factory=sa.true)


class Witness:
    """Reads what is new, again and again, and knows at the end whether all of it is still there."""

    def __init__(self, database: Database, fleet: Fleet) -> None:
        self._database = database
        self._sights = list(_sights(fleet))
        self._newest = [-1] * len(self._sights)
        self._seen: dict[str, dict[Row, Row]] = {}

    def look(self) -> None:
        """Takes in what has been committed since."""
        with self._database.read() as connection:
            for place, sight in enumerate(self._sights):
                query, grows_by = _query(sight), sight.grows_by
                if grows_by is not None:
                    query = query.where(grows_by > self._newest[place])
                for row in connection.execute(query):
                    seen = self._seen.setdefault(sight.what, {})
                    seen.setdefault(_key(sight, row), tuple(row))
                    if grows_by is not None:
                        self._newest[place] = max(self._newest[place], row._mapping[grows_by])

    def judge(self, verdict: Verdict) -> None:
        """Blames each row that is gone, or another one now."""
        now: dict[str, dict[Row, Row]] = {}
        with self._database.read() as connection:
            for sight in self._sights:
                for row in connection.execute(_query(sight)):
                    now.setdefault(sight.what, {})[_key(sight, row)] = tuple(row)
        for what, rows in self._seen.items():
            for key, was in rows.items():
                found = now.get(what, {}).get(key)
                if found != was:
                    verdict.blame(f"acknowledged {what} lost or changed", f"{was}, now {found}")
                else:
                    verdict.counts[f"acknowledged {what} still there"] += 1


def _sights(fleet: Fleet) -> Iterator[_Sight]:
    """What there is to be seen. A candle and a signal are newer than those before in their own group alone."""
    candles = schema.ohlcv_data
    for one in fleet.kept:
        is_its = sa.and_(
            candles.c.exchange == one.exchange,
            candles.c.symbol == one.symbol,
            candles.c.timeframe == one.timeframe.value,
        )
        yield _whole("candles", candles, candles.c.timestamp, is_its)
    for table in (schema.signals, schema.equity):
        for trading in fleet.trading:
            is_its = table.c.strategy_id == trading.strategy_id
            yield _whole(table.name, table, table.c.timestamp, is_its)
    orders, trades, positions = schema.orders, schema.trades, schema.positions
    yield _Sight("orders", _OF_ORDER, [orders.c.order_id], orders.c.order_id)
    yield _whole("trades", trades, trades.c.trade_id, sa.true())
    yield _whole("ended orders", orders, None, orders.c.status.in_(_DONE))
    yield _whole("closed positions", positions, None, positions.c.status == "closed")


def _whole(
    what: str, table: sa.Table, grows_by: sa.Column[Any] | None, where: sa.ColumnElement[bool]
) -> _Sight:
    return _Sight(what, list(table.columns), list(table.primary_key.columns), grows_by, where)


def _query(sight: _Sight) -> sa.Select[Any]:
    return sa.select(*sight.columns).where(sight.where)


def _key(sight: _Sight, row: Any) -> Row:
    return tuple(row._mapping[column] for column in sight.key)


def judge_words(verdict: Verdict, lines: Iterable[tuple[str, str]], database: Database) -> None:
    """Blames what a trader has logged and its books do not have, and what it logged twice."""
    signals: Counter[tuple[str, int, str]] = Counter()
    fills: Counter[tuple[str, str, Decimal, Decimal]] = Counter()
    for who, line in lines:
        match _parsed(line):
            case {"event": "signal", "candle": candle, "signal": kind}:
                signals[who, candle, kind] += 1
            case {"event": "order_filled", "side": side, "amount": amount, "price": price}:
                fills[who, side, Decimal(amount), Decimal(price)] += 1
            case None:
                verdict.blame("no line of a log", f"{who}: {line[:300]}")
            case _:
                pass
    with database.read() as connection:
        table = schema.signals.c
        query = sa.select(table.strategy_id, table.timestamp, table.signal)
        written = {tuple(row) for row in connection.execute(query)}
        trades = schema.trades.c
        traded = sa.select(trades.strategy_id, trades.side, trades.amount, trades.price)
        booked = Counter(tuple(row) for row in connection.execute(traded))
    for one, count in signals.items():
        if one not in written:
            verdict.blame("logged signal lost", str(one))
        elif count > 1:
            verdict.blame("signal logged twice", str(one))
        else:
            verdict.counts["logged signals written"] += 1
    for fill, count in fills.items():
        if booked[fill] < count:
            verdict.blame("logged fill lost or logged twice", str(fill))
        else:
            verdict.counts["logged fills booked"] += count


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
