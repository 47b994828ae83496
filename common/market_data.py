"""The candles and tickers of the shared database: the SQL of `ohlcv_data` and `ticker_data`."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from common.candle import Candle, Ticker
from common.database_failures import told_apart
from common.partition import Partition
from common.statements import insert_new
from common.timeframe import Timeframe
from schema import ohlcv_data, ticker_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from common.database import Database

_COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
_MOST_PARAMETERS = 1000
Row = tuple[int, float, float, float, float, float]  # as in _COLUMNS


class MarketData:
    """Shared market data. A candle that is there already is never changed by storing it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store_candles(self, partition: Partition, candles: Sequence[Candle]) -> int:
        """Stores closed candles in one transaction; returns how many were not there yet."""
        if not candles:
            return 0
        with self._database.write() as connection:
            return insert_candles(connection, partition, candles)

    def newest_candle(self, partition: Partition) -> int | None:
        """The open time of the newest stored candle; None if there is none."""
        with self._database.read() as connection:
            return connection.execute(newest_candle_of(partition)).scalar()

    def oldest_candle(self, partition: Partition) -> int | None:
        """The open time of the oldest stored candle; None if there is none."""
        with self._database.read() as connection:
            query = sa.select(sa.func.min(ohlcv_data.c.timestamp)).where(_in(partition))
            return connection.execute(query).scalar()

    def candles(
        self, partition: Partition, *, limit: int, until: int | None = None
    ) -> list[tuple[int, float, float, float, float, float]]:
        """The newest `limit` candles that opened no later than `until`, oldest first.

        Each is (timestamp, open, high, low, close, volume).
        """
        newest_first = (
            sa.select(*(ohlcv_data.c[name] for name in _COLUMNS))
            .where(_in(partition))
            .order_by(ohlcv_data.c.timestamp.desc())
            .limit(limit)
        )
        if until is not None:
            newest_first = newest_first.where(ohlcv_data.c.timestamp <= until)
        with self._database.read() as connection:
            rows = connection.execute(newest_first).all()
        return [tuple(row) for row in reversed(rows)]

    def candles_between(self, partition: Partition, start: int, end: int) -> list[Row]:
        """The stored candles from `start` to `end`, both included, in order.

        Each is (timestamp, open, high, low, close, volume).
        """
        with self._database.read() as connection:
            return candles_between(connection, partition, start, end)

    @contextmanager
    def reading(self, partition: Partition, start: int, end: int) -> Iterator[Iterator[Row]]:
        """The same one by one, as the driver gives them: for half a million, in a fraction of the time.

        The snapshot is open as long as the block: take them and leave.
        """
        with self._database.read() as connection:
            query = _between(partition, start, end).compile(dialect=connection.dialect)
            values = [query.params[name] for name in query.positiontup or ()]
            cursor: Any = connection.connection.cursor()
            with closing(cursor), told_apart(self._database.engine, self._database.path):
                cursor.execute(str(query), values)
                yield cursor

    def partitions(self) -> list[Partition]:
        """Every partition with a stored candle, in order: a few key lookups for each, however many candles."""
        exchange, symbol, timeframe = key = (
            ohlcv_data.c.exchange,
            ohlcv_data.c.symbol,
            ohlcv_data.c.timeframe,
        )
        names = sa.select(*key).order_by(*key).limit(1)
        found: list[Partition] = []
        with self._database.read() as connection:
            row = connection.execute(names).one_or_none()
            while row is not None:
                found.append(Partition(row[0], row[1], Timeframe(row[2])))
                # One comparison of the whole key would do, but SQLite seeks by its first column alone.
                following = (
                    (exchange == row[0], symbol == row[1], timeframe > row[2]),
                    (exchange == row[0], symbol > row[1]),
                    (exchange > row[0],),
                )
                answers = (
                    connection.execute(names.where(*after)).one_or_none() for after in following
                )
                row = next((answer for answer in answers if answer is not None), None)
        return found

    def timestamps(self, partition: Partition, start: int, end: int) -> list[int]:
        """The open times of the stored candles from `start` to `end`, both included, in order."""
        with self._database.read() as connection:
            return open_times(connection, partition, start, end)

    def runs(self, partition: Partition, start: int, end: int) -> list[tuple[int, int]]:
        """The stored candles from `start` to `end` as runs without a hole, oldest first.

        Each is the open time of its first candle and of its last. Ten thousand candles in a row
        are one tuple: this is for those who look for what is missing.
        """
        step = partition.timeframe.milliseconds
        place = sa.func.row_number().over(order_by=ohlcv_data.c.timestamp)
        run = (ohlcv_data.c.timestamp - place * step).label("run")
        candles = (
            sa.select(ohlcv_data.c.timestamp, run)
            .where(_in(partition), ohlcv_data.c.timestamp.between(start, end))
            .subquery()
        )
        first, last = sa.func.min(candles.c.timestamp), sa.func.max(candles.c.timestamp)
        query = sa.select(first, last).group_by(candles.c.run).order_by(first)
        with self._database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def store_tickers(self, exchange: str, tickers: dict[str, Ticker], *, keep_since: int) -> None:
        """Stores one ticker of each symbol, and drops that exchange's from before `keep_since`."""
        rows = [
            {
                "exchange": exchange,
                "symbol": symbol,
                "timestamp": ticker.timestamp,
                "bid": ticker.bid,
                "ask": ticker.ask,
                "last": ticker.last,
            }
            for symbol, ticker in tickers.items()
        ]
        if not rows:
            return
        old = sa.delete(ticker_data).where(
            ticker_data.c.exchange == exchange,
            ticker_data.c.symbol.in_(list(tickers)),
            ticker_data.c.timestamp < keep_since,
        )
        with self._database.write() as connection:
            connection.execute(insert_new(connection, ticker_data), rows)
            connection.execute(old)

    def newest_ticker(
        self, exchange: str, symbol: str, *, before: int | None = None
    ) -> Ticker | None:
        """The newest stored ticker of that symbol, or the newest one before a time; None if there is none."""
        conditions = [] if before is None else [ticker_data.c.timestamp < before]
        return self._one_ticker(exchange, symbol, ticker_data.c.timestamp.desc(), *conditions)

    def highest_ticker(self, exchange: str, symbol: str, start: int, end: int) -> float | None:
        """The highest bid from `start` to `end`, both included, or last price where there is none; None: no ticker."""
        query = sa.select(
            sa.func.max(sa.func.coalesce(ticker_data.c.bid, ticker_data.c.last))
        ).where(
            ticker_data.c.exchange == exchange,
            ticker_data.c.symbol == symbol,
            ticker_data.c.timestamp.between(start, end),
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def first_ticker(
        self,
        exchange: str,
        symbol: str,
        *,
        since: int,
        ask_up_to: float | None = None,
        bid_from: float | None = None,
    ) -> Ticker | None:
        """The oldest stored ticker of that symbol at or after `since`; None if there is none.

        Only those count whose ask is not above `ask_up_to`, and whose bid is not below `bid_from`; the last price
        stands for one that is not told.
        """
        columns = ticker_data.c
        conditions = [columns.timestamp >= since]
        if ask_up_to is not None:
            conditions.append(sa.func.coalesce(columns.ask, columns.last) <= ask_up_to)
        if bid_from is not None:
            conditions.append(sa.func.coalesce(columns.bid, columns.last) >= bid_from)
        return self._one_ticker(exchange, symbol, columns.timestamp.asc(), *conditions)

    def ticker_telling(
        self, exchange: str, symbol: str, price: float, since: int, until: int
    ) -> Ticker | None:
        """The last ticker after `since`, up to `until`, whose bid is that price, or last price where there is none."""
        columns = ticker_data.c
        told = sa.func.coalesce(columns.bid, columns.last) == price
        moments = (columns.timestamp > since, columns.timestamp <= until)
        return self._one_ticker(exchange, symbol, columns.timestamp.desc(), told, *moments)

    def highest_between(self, partition: Partition, since: int, until: int) -> float | None:
        """The highest price after `since`, up to `until`: of whole candles in there, and of tickers, by their bid.

        None: there is neither.
        """
        last = until - partition.timeframe.milliseconds  # opened no later, to have closed by then
        candles = sa.select(sa.func.max(ohlcv_data.c.high)).where(
            _in(partition), ohlcv_data.c.timestamp.between(since, last)
        )
        tickers = sa.select(
            sa.func.max(sa.func.coalesce(ticker_data.c.bid, ticker_data.c.last))
        ).where(
            ticker_data.c.exchange == partition.exchange,
            ticker_data.c.symbol == partition.symbol,
            ticker_data.c.timestamp > since,
            ticker_data.c.timestamp <= until,
        )
        with self._database.read() as connection:
            found = [connection.execute(query).scalar() for query in (candles, tickers)]
        return max((price for price in found if price is not None), default=None)

    def _one_ticker(
        self,
        exchange: str,
        symbol: str,
        order: sa.ColumnElement[int],
        *conditions: sa.ColumnElement[bool],
    ) -> Ticker | None:
        columns = (ticker_data.c[name] for name in ("timestamp", "bid", "ask", "last"))
        query = (
            sa.select(*columns)
            .where(ticker_data.c.exchange == exchange, ticker_data.c.symbol == symbol, *conditions)
            .order_by(order)
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Ticker(*row)


def newest_candle_of(partition: Partition) -> sa.Select[int | None]:
    """Asks for the open time of the newest stored candle."""
    return sa.select(sa.func.max(ohlcv_data.c.timestamp)).where(_in(partition))


def newest_ticker_of(exchange: str, symbol: str) -> sa.Select[int | None]:
    """Asks for the time of the newest stored ticker."""
    return sa.select(sa.func.max(ticker_data.c.timestamp)).where(
        ticker_data.c.exchange == exchange, ticker_data.c.symbol == symbol
    )


def insert_candles(
    connection: sa.Connection, partition: Partition, candles: Sequence[Candle]
) -> int:
    """Inserts candles that are not there yet, in the caller's transaction; returns how many.

    The batch goes to the driver as it is: SQLAlchemy's own way to bind a row takes longer than
    SQLite takes to store it.
    """
    rows = [(c.timestamp, c.open, c.high, c.low, c.close, c.volume) for c in candles]
    return insert_rows(connection, partition, rows)


def insert_rows(connection: sa.Connection, partition: Partition, rows: Iterable[Row]) -> int:
    """Inserts candles that were checked elsewhere, as (timestamp, open, high, low, close, volume).

    See `insert_candles`.
    """
    key = (partition.exchange, partition.symbol, partition.timeframe.value)
    keyed = [(*key, *row) for row in rows]
    statement = insert_new(connection, ohlcv_data).compile(
        dialect=connection.dialect, column_keys=[column.name for column in ohlcv_data.columns]
    )
    return connection.exec_driver_sql(str(statement), keyed).rowcount


def candles_between(
    connection: sa.Connection, partition: Partition, start: int, end: int
) -> list[Row]:
    """See `MarketData.candles_between`; in the caller's transaction."""
    query = _between(partition, start, end)
    return [tuple(row) for row in connection.execute(query).all()]


def candles_at(
    connection: sa.Connection, partition: Partition, timestamps: Sequence[int]
) -> list[Row]:
    """Those of the stored candles that open at these times, in any order; in the caller's transaction."""
    query = sa.select(*(ohlcv_data.c[name] for name in _COLUMNS)).where(_in(partition))
    found: list[Row] = []
    for start in range(0, len(timestamps), _MOST_PARAMETERS):
        some = timestamps[start : start + _MOST_PARAMETERS]
        rows = connection.execute(query.where(ohlcv_data.c.timestamp.in_(some)))
        found.extend(tuple(row) for row in rows.all())
    return found


def open_times(connection: sa.Connection, partition: Partition, start: int, end: int) -> list[int]:
    """The open times of the stored candles from `start` to `end`; in the caller's transaction."""
    query = (
        sa.select(ohlcv_data.c.timestamp)
        .where(_in(partition), ohlcv_data.c.timestamp.between(start, end))
        .order_by(ohlcv_data.c.timestamp)
    )
    return list(connection.execute(query).scalars())


def replace_candle(connection: sa.Connection, partition: Partition, candle: Candle) -> None:
    """Gives a stored candle other values, in the caller's transaction, which records the old ones."""
    values = {name: getattr(candle, name) for name in _COLUMNS if name != "timestamp"}
    this = sa.update(ohlcv_data).where(_in(partition), ohlcv_data.c.timestamp == candle.timestamp)
    connection.execute(this.values(values))


def delete_candles(connection: sa.Connection, partition: Partition, start: int, end: int) -> int:
    """Deletes the candles from `start` to `end`, both included, in the caller's transaction."""
    old = sa.delete(ohlcv_data).where(_in(partition), ohlcv_data.c.timestamp.between(start, end))
    return connection.execute(old).rowcount


def nth_newest(connection: sa.Connection, partition: Partition, count: int) -> int | None:
    """The open time of the oldest of the newest `count` candles; None if there are not as many."""
    query = (
        sa.select(ohlcv_data.c.timestamp)
        .where(_in(partition))
        .order_by(ohlcv_data.c.timestamp.desc())
        .limit(1)
        .offset(count - 1)
    )
    return connection.execute(query).scalar()


def _between(partition: Partition, start: int, end: int) -> sa.Select[Any]:
    columns = (ohlcv_data.c[name] for name in _COLUMNS)
    return (
        sa.select(*columns)
        .where(_in(partition), ohlcv_data.c.timestamp.between(start, end))
        .order_by(ohlcv_data.c.timestamp)
    )


def _in(partition: Partition) -> sa.ColumnElement[bool]:
    return sa.and_(
        ohlcv_data.c.exchange == partition.exchange,
        ohlcv_data.c.symbol == partition.symbol,
        ohlcv_data.c.timeframe == partition.timeframe.value,
    )
