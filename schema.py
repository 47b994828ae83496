"""The one definition of every table, index and view of the shared database, and its program.

    python schema.py [--database URL]

creates the database or upgrades it to this definition, prints what it did and the version, and changes
nothing when run again. `migrations/versions` holds the way from each version to the next.

Conventions of every table: a `timestamp` and every `*_at` is an integer count of milliseconds UTC; a
candle's `timestamp` is its open time. Market data is REAL. Money of the ledgers is `Money`: exact decimals,
stored as text in SQLite. `sum()` and arithmetic work on it in the sqlite3 shell; to compare it there, write
`amount + 0 > 1`. An `exchange` is a ccxt id, a `symbol` is BASE/QUOTE.
"""

from __future__ import annotations

import argparse
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, MetaData, Table, UniqueConstraint

from common.database import Database, Durability, connect, url_from
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

REVISION = "0002"
MIGRATIONS = Path(__file__).parent / "migrations"


class Money(sa.types.TypeDecorator[Decimal]):
    """An exact decimal: text in SQLite, which has no such type, and NUMERIC elsewhere."""

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """See the class."""
        kind: sa.types.TypeEngine[Any] = sa.Text() if dialect.name == "sqlite" else sa.Numeric()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Any:
        """Raises TypeError for what is not a finite Decimal."""
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError(f"money: expected a finite Decimal, found {value!r}")
        return format(value, "f") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        """A Decimal equal to the one that was stored."""
        return None if value is None else Decimal(value)


# SQLite's STRICT tables know INTEGER, REAL and TEXT only; PostgreSQL's own REAL would be too short.
Integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
Text = sa.Text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# A table whose primary key is how it is read lies in the order of that key; STRICT refuses text in a number.
CLUSTERED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}
STRICT: dict[str, Any] = {"sqlite_strict": True}


def _one_of(column: str, *values: str) -> CheckConstraint:
    """A column that holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


def _strategy_id(**options: Any) -> Column[str]:
    return Column(
        "strategy_id", Text, ForeignKey("strategy_metadata.strategy_id"), nullable=False, **options
    )


# --- market data: written by the backfiller, read by everyone ---------------------------------------------

ohlcv_data = Table(
    "ohlcv_data",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column("timestamp", Integer, primary_key=True, autoincrement=False),
    Column("open", Real, nullable=False),
    Column("high", Real, nullable=False),
    Column("low", Real, nullable=False),
    Column("close", Real, nullable=False),
    Column("volume", Real, nullable=False),
    CheckConstraint(
        "low > 0 AND low <= open AND low <= close AND open <= high AND close <= high", name="prices"
    ),
    CheckConstraint("volume >= 0", name="volume"),
    **CLUSTERED,
)

ticker_data = Table(
    "ticker_data",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("timestamp", Integer, primary_key=True, autoincrement=False),
    Column("bid", Real),
    Column("ask", Real),
    Column("last", Real, nullable=False),
    CheckConstraint("last > 0", name="last"),
    **CLUSTERED,
)

markets = Table(
    "markets",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("amount_step", Money),  # an order's amount is a multiple of it, in base currency
    Column("price_step", Money),  # and its price of this, in quote currency
    Column("min_amount", Money),  # the least amount of an order, in base currency
    Column("min_cost", Money),  # the least cost of an order, in quote currency
    Column("updated_at", Integer, nullable=False),
    **CLUSTERED,
)

exchange_status = Table(
    "exchange_status",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("state", Text, nullable=False, server_default="ok"),
    Column("state_until", Integer),  # when a back-off or a ban ends, by this machine's clock
    Column("clock_exchange_time", Integer),  # what the exchange's clock said ...
    Column("clock_wall_time", Integer),  # ... when this machine's said that
    Column(
        "clock_speed", Real, nullable=False, server_default="1.0"
    ),  # 1 but on a practice exchange
    Column(
        "api_url", Text, nullable=False, server_default=""
    ),  # where its rows came from; "": its own API
    Column("timeframes", Text, nullable=False, server_default=""),  # those to be had, with commas
    Column("last_error", Text),
    Column("updated_at", Integer, nullable=False),
    _one_of("state", "ok", "backing_off", "banned"),
    **CLUSTERED,
)

gaps = Table(
    "gaps",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column(
        "start", Integer, primary_key=True, autoincrement=False
    ),  # open time of the first one missing
    Column("end", Integer, nullable=False),  # open time of the last one missing
    Column("state", Text, nullable=False),
    Column("found_at", Integer, nullable=False),
    Column("asked", Integer, nullable=False),  # how often the exchange was asked for it
    Column("ask_again_at", Integer),  # by this machine's clock; NULL: not again
    _one_of("state", "found", "fetching", "filled", "confirmed_empty", "out_of_reach"),
    CheckConstraint('start <= "end"', name="order"),
    **CLUSTERED,
)

archived_months = Table(
    "archived_months",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column("month", Text, primary_key=True),  # such as 2025-01
    Column("first", Integer, nullable=False),  # open time of the first archived candle of the month
    Column("last", Integer, nullable=False),
    Column("candles", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),  # by this machine's clock
    **CLUSTERED,
)

partitions = Table(
    "partitions",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column("built_from", Text),  # the timeframe its candles are made of; NULL: fetched as they are
    Column(
        "reach", Integer
    ),  # the oldest open time that the exchange's API can give; NULL: no limit met
    Column("note", Text, nullable=False, server_default=""),  # what a person should know of it
    Column("updated_at", Integer, nullable=False),
    **CLUSTERED,
)

revisions = Table(
    "revisions",
    metadata,
    Column("revision_id", Integer, primary_key=True),
    Column("exchange", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("timestamp", Integer, nullable=False),  # the candle's open time
    Column(
        "stored_at", Integer
    ),  # when the old values were, by this machine's clock; NULL: not known any more
    Column("found_at", Integer, nullable=False),  # when the new values were
    *(
        Column(f"{age}_{name}", Real, nullable=False)
        for age in ("old", "new")
        for name in ("open", "high", "low", "close", "volume")
    ),
    **STRICT,
)
Index(
    "idx_revisions_candle",
    revisions.c.exchange,
    revisions.c.symbol,
    revisions.c.timeframe,
    revisions.c.timestamp,
)

# --- strategies and their ledgers: every row under its strategy_id -----------------------------------------

strategy_metadata = Table(
    "strategy_metadata",
    metadata,
    Column("strategy_id", Text, primary_key=True),
    Column("exchange", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("strategy_name", Text, nullable=False),
    Column("config_file", Text),
    Column("mode", Text, nullable=False),
    Column("parameters", Text, nullable=False),  # a JSON object, no secrets
    Column("warmup", Integer, nullable=False),  # candles needed before a signal counts
    Column("starting_balance", Money, nullable=False),  # in quote currency
    Column("status", Text, nullable=False),
    Column("registered_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    # a JSON object: stakes, limits and fees, see trader.core.rules
    Column("rules", Text, nullable=False, server_default="{}"),
    _one_of("status", "waiting", "running", "stopped"),
    _one_of("mode", "paper", "live"),
    **CLUSTERED,
)

signals = Table(
    "signals",
    metadata,
    _strategy_id(primary_key=True),
    Column("timestamp", Integer, primary_key=True, autoincrement=False),  # the candle's open time
    Column("signal", Text, nullable=False),
    Column("price", Real, nullable=False),  # the candle's close
    Column("rsi", Real),
    Column("indicators", Text, nullable=False),  # a JSON object: every indicator of the strategy
    Column("reason", Text, nullable=False),  # why the strategy says so
    Column("decision", Text, nullable=False),  # what the trader made of it, and why
    Column("created_at", Integer, nullable=False),  # by this machine's clock
    _one_of("signal", "buy", "sell", "hold"),
    **CLUSTERED,
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", Integer, primary_key=True),
    _strategy_id(),
    Column("client_order_id", Text, nullable=False),
    Column("exchange_order_id", Text),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("amount", Money, nullable=False),  # in base currency
    Column("price", Money),  # of a limit order
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("signal_timestamp", Integer, nullable=False),  # the candle it was decided at
    Column("decided_at", Integer, nullable=False),  # by the exchange's clock
    Column("created_at", Integer, nullable=False),  # by this machine's clock
    Column("updated_at", Integer, nullable=False),
    Column("purpose", Text, nullable=False, server_default="entry"),  # see trader.core.order
    # what an entry may cost, fee included, in quote currency; 0 for an exit
    Column("reserved", Money, nullable=False, server_default="0"),
    Column("failure", Text),  # why it came to nothing, or to less than was asked for
    UniqueConstraint("client_order_id"),
    UniqueConstraint("strategy_id", "order_id"),
    _one_of("side", "buy", "sell"),
    _one_of("type", "market", "limit"),
    _one_of("status", "new", "open", "filled", "canceled", "rejected"),
    **STRICT,
)

trades = Table(
    "trades",
    metadata,
    Column("trade_id", Integer, primary_key=True),
    _strategy_id(),
    Column("order_id", Integer, nullable=False),
    Column("exchange_trade_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("amount", Money, nullable=False),  # in base currency
    Column("price", Money, nullable=False),  # quote per base
    Column("cost", Money, nullable=False),  # amount x price, in quote currency
    Column("fee", Money, nullable=False),
    Column("fee_currency", Text, nullable=False),
    Column("realised_profit", Money, nullable=False),  # in quote currency, fees inside; 0 for a buy
    Column("timestamp", Integer, nullable=False),  # by the exchange's clock
    Column("fee_cost", Money, nullable=False, server_default="0"),  # the fee in quote currency
    UniqueConstraint("strategy_id", "order_id", "exchange_trade_id"),
    sa.ForeignKeyConstraint(
        ["strategy_id", "order_id"],
        ["orders.strategy_id", "orders.order_id"],
        name="fk_trades_orders",
    ),
    _one_of("side", "buy", "sell"),
    **STRICT,
)
Index("idx_trades_strategy", trades.c.strategy_id, trades.c.timestamp.desc())
Index("idx_orders_strategy", orders.c.strategy_id, orders.c.created_at.desc())

positions = Table(
    "positions",
    metadata,
    Column("position_id", Integer, primary_key=True),
    _strategy_id(),
    Column("symbol", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("amount", Money, nullable=False),  # held now, in base currency
    Column("entry_cost", Money, nullable=False),  # what the held amount cost, in quote, fees inside
    Column(
        "average_entry", Money, nullable=False
    ),  # of the last held amount, quote per base, fees inside
    Column("realised_profit", Money, nullable=False),  # in quote currency, fees inside
    Column("fees", Money, nullable=False),  # all of this position's so far, in quote currency
    Column("opened_at", Integer, nullable=False),
    Column("closed_at", Integer),
    Column("exit_reason", Text),
    # written off when the position closed, since no market takes so little; in base currency
    Column("dust", Money, nullable=False, server_default="0"),
    _one_of("status", "open", "closed"),
    CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed"),
    **STRICT,
)
Index(
    "uq_positions_open",
    positions.c.strategy_id,
    positions.c.symbol,
    unique=True,
    sqlite_where=positions.c.status == "open",
    postgresql_where=positions.c.status == "open",
)
Index("idx_positions_strategy", positions.c.strategy_id, positions.c.opened_at.desc())

equity = Table(
    "equity",
    metadata,
    _strategy_id(primary_key=True),
    Column("timestamp", Integer, primary_key=True, autoincrement=False),  # the candle's open time
    Column("closed_at", Integer, nullable=False),  # when that candle closed
    # cash and the position at the candle's close, in quote currency
    Column("equity", Money, nullable=False),
    # what the limits count from: the highest equity, and that at the UTC day's begin, see trader.core.equity
    Column("peak", Money, nullable=False),
    Column("opening", Money, nullable=False),
    **CLUSTERED,
)

# --- running the suite -------------------------------------------------------------------------------------

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("daemon", Text, primary_key=True),  # backfiller, or a trader's strategy_id
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("started_at", Integer, nullable=False),
    Column("beat_at", Integer, nullable=False),
    **CLUSTERED,
)

controls = Table(
    "controls",
    metadata,
    Column("scope", Text, primary_key=True),  # a strategy_id, or * for all of them
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("set_at", Integer, nullable=False),
    Column(
        "until", Integer
    ),  # running again from then on, by the exchange's clock; NULL: until changed
    _one_of("state", "running", "reduce_only", "halted"),
    **CLUSTERED,
)

events = Table(
    "events",
    metadata,
    Column("event_id", Integer, primary_key=True),
    Column("timestamp", Integer, nullable=False),  # by this machine's clock
    Column("source", Text, nullable=False),  # backfiller, or a strategy_id
    Column("level", Text, nullable=False),
    Column("kind", Text, nullable=False),  # such as candle_rejected
    Column("message", Text, nullable=False),
    Column("detail", Text, nullable=False),  # a JSON object
    _one_of("level", "info", "warning", "error"),
    **STRICT,
)
Index("idx_events_timestamp", events.c.timestamp.desc())


# --- views: for people in the sqlite3 shell, with readable times -------------------------------------------


def view_definitions(dialect: str) -> dict[str, str]:
    """The SELECT of each view, by its name, in the SQL of that dialect.

    `sqlite` and `postgresql` differ in how a time is written out and a decimal read as a number: that
    is said here and nowhere else.
    """

    def utc(column: str) -> str:
        if dialect == "sqlite":
            return f"strftime('%Y-%m-%d %H:%M:%S', {column} / 1000, 'unixepoch')"
        return (
            f"to_char(to_timestamp({column} / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
        )

    def number(expression: str) -> str:
        return f"CAST({expression} AS {'REAL' if dialect == 'sqlite' else 'DOUBLE PRECISION'})"

    def milliseconds(column: str) -> str:
        lengths = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14400, "1d": 86400}
        cases = " ".join(f"WHEN '{name}' THEN {length * 1000}" for name, length in lengths.items())
        return f"CASE {column} {cases} END"

    newest_close = (
        "(SELECT c.close FROM ohlcv_data c WHERE c.exchange = s.exchange AND c.symbol = s.symbol "
        "AND c.timeframe = s.timeframe ORDER BY c.timestamp DESC LIMIT 1)"
    )
    # GROUP BY over millions of rows takes three times as long as finding each partition by its key.
    candles_of_key = "FROM ohlcv_data o WHERE o.exchange = k.exchange AND o.symbol = k.symbol AND o.timeframe = k.timeframe"
    gaps_within = (
        "FROM gaps g WHERE g.exchange = c.exchange AND g.symbol = c.symbol AND g.timeframe = c.timeframe "
        'AND g.start <= c.newest AND g."end" >= c.oldest'
    )
    coverage = f"""
            WITH RECURSIVE e(exchange) AS (
                SELECT min(exchange) FROM ohlcv_data
                UNION ALL SELECT (SELECT min(o.exchange) FROM ohlcv_data o WHERE o.exchange > e.exchange)
                FROM e WHERE exchange IS NOT NULL),
            s(exchange, symbol) AS (
                SELECT exchange, (SELECT min(o.symbol) FROM ohlcv_data o WHERE o.exchange = e.exchange)
                FROM e WHERE exchange IS NOT NULL
                UNION ALL SELECT exchange, (SELECT min(o.symbol) FROM ohlcv_data o
                    WHERE o.exchange = s.exchange AND o.symbol > s.symbol)
                FROM s WHERE symbol IS NOT NULL),
            k(exchange, symbol, timeframe) AS (
                SELECT exchange, symbol, (SELECT min(o.timeframe) FROM ohlcv_data o
                    WHERE o.exchange = s.exchange AND o.symbol = s.symbol)
                FROM s WHERE symbol IS NOT NULL
                UNION ALL SELECT exchange, symbol, (SELECT min(o.timeframe) FROM ohlcv_data o
                    WHERE o.exchange = k.exchange AND o.symbol = k.symbol AND o.timeframe > k.timeframe)
                FROM k WHERE timeframe IS NOT NULL),
            c AS MATERIALIZED (
                SELECT exchange, symbol, timeframe, {milliseconds("timeframe")} AS step,
                       (SELECT count(*) {candles_of_key}) AS candles,
                       (SELECT min(o.timestamp) {candles_of_key}) AS oldest,
                       (SELECT max(o.timestamp) {candles_of_key}) AS newest
                FROM k WHERE timeframe IS NOT NULL),
            m AS (
                SELECT c.*, (newest - oldest) / step + 1 - candles AS missing,
                       coalesce((SELECT sum((CASE WHEN g."end" < c.newest THEN g."end" ELSE c.newest END
                           - CASE WHEN g.start > c.oldest THEN g.start ELSE c.oldest END) / c.step + 1)
                           {gaps_within} AND g.state IN ('confirmed_empty', 'out_of_reach')), 0) AS explained,
                       (SELECT count(*) {gaps_within} AND g.state IN ('found', 'fetching')) AS open_gaps
                FROM c)
            SELECT exchange, symbol, timeframe, candles, {utc("oldest")} AS first_utc, {utc("newest")} AS last_utc,
                   missing, explained, CASE WHEN missing > explained THEN missing - explained ELSE 0 END AS unexplained,
                   open_gaps
            FROM m"""
    unrealised = f"{newest_close} * {number('p.amount')} - {number('p.entry_cost')}"
    return {
        "open_positions": f"""
            SELECT p.strategy_id, s.exchange, p.symbol, {number("p.amount")} AS amount,
                   {number("p.average_entry")} AS average_entry, {newest_close} AS last_close,
                   {unrealised} AS unrealised_profit, {utc("p.opened_at")} AS opened_utc
            FROM positions p JOIN strategy_metadata s ON s.strategy_id = p.strategy_id
            WHERE p.status = 'open'""",
        "profit_per_strategy": f"""
            SELECT s.strategy_id, s.exchange, s.symbol, s.timeframe,
                   {number("s.starting_balance")} AS starting_balance,
                   (SELECT count(*) FROM trades t WHERE t.strategy_id = s.strategy_id) AS trades,
                   (SELECT count(*) FROM positions p WHERE p.strategy_id = s.strategy_id
                    AND p.status = 'closed') AS round_trips,
                   coalesce((SELECT sum({number("p.realised_profit")}) FROM positions p
                    WHERE p.strategy_id = s.strategy_id), 0.0) AS realised_profit,
                   coalesce((SELECT {unrealised} FROM positions p WHERE p.strategy_id = s.strategy_id
                    AND p.status = 'open'), 0.0) AS unrealised_profit,
                   coalesce((SELECT sum({number("p.fees")}) FROM positions p
                    WHERE p.strategy_id = s.strategy_id), 0.0) AS fees
            FROM strategy_metadata s""",
        "equity_curve": f"""
            SELECT e.strategy_id, {utc("e.closed_at")} AS closed_utc, {number("e.equity")} AS equity,
                   1 - {number("e.equity")} / max({number("s.starting_balance")}, max({number("e.equity")})
                       OVER (PARTITION BY e.strategy_id ORDER BY e.timestamp)) AS drawdown
            FROM equity e JOIN strategy_metadata s ON s.strategy_id = e.strategy_id""",
        "last_signals": f"""
            SELECT g.strategy_id, s.exchange, s.symbol, s.timeframe, {utc("g.timestamp")} AS candle_utc,
                   g.signal, g.price, g.rsi, g.reason, g.decision
            FROM strategy_metadata s JOIN signals g ON g.strategy_id = s.strategy_id
            WHERE g.timestamp = (SELECT max(l.timestamp) FROM signals l WHERE l.strategy_id = s.strategy_id)""",
        "coverage": coverage,
        "exchange_health": f"""
            SELECT exchange, state, {utc("state_until")} AS until_utc,
                   clock_exchange_time - clock_wall_time AS clock_offset_ms, {utc("clock_wall_time")} AS clock_heard_utc,
                   clock_speed, last_error, {utc("updated_at")} AS updated_utc
            FROM exchange_status""",
        "fleet_health": f"""
            SELECT h.daemon, h.state, h.detail, {utc("h.started_at")} AS started_utc, {utc("h.beat_at")} AS beat_utc,
                   s.exchange, s.symbol, s.timeframe, s.mode
            FROM heartbeats h LEFT JOIN strategy_metadata s ON s.strategy_id = h.daemon""",
        "recent_events": f"""
            SELECT event_id, {utc("timestamp")} AS utc, source, level, kind, message
            FROM events ORDER BY event_id DESC LIMIT 100""",
    }


# --- opening, and the program ------------------------------------------------------------------------------


def open_database(
    url: str,
    *,
    durability: Durability = Durability.POWER_CUT,
    checkpoint_pages: int = 10_000,
) -> Database:
    """The shared database at `url`, known to be of this program's version.

    Raises:
        ConfigurationError: there is none, it cannot be used, or it is of another version.
    """
    database = connect(url, durability=durability, checkpoint_pages=checkpoint_pages)
    found = revision_of(database)
    if found != REVISION:
        database.close()
        what = "which is older: run `python schema.py`" if is_known(found) else _NEWER
        version = "one without tables" if found is None else f"version {found}"
        raise ConfigurationError(
            f"DATABASE_URL: expected a database of version {REVISION}, found {version}, {what}"
        )
    return database


_NEWER = "which this program does not know: use a newer Candlewell, the database stays as it is"


def revision_of(database: Database) -> str | None:
    """The version of that database; None if it has no tables of ours."""
    with database.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(url: str) -> tuple[str | None, str]:
    """Creates or upgrades the database at `url`: the version it had, and the one it has now.

    Raises:
        ConfigurationError: it cannot be used, or is newer than this program.
    """
    from alembic import command  # noqa: PLC0415 - only this program needs it, a trader's memory does not
    from alembic.config import Config  # noqa: PLC0415

    database = connect(url, create=True)
    try:
        before = revision_of(database)
        if before is not None and not is_known(before):
            raise ConfigurationError(
                f"DATABASE_URL: expected a database of version {REVISION} or older, found version {before}, {_NEWER}"
            )
        if before != REVISION:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            with database.write() as connection:
                drop_views(connection)
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                create_views(connection)
        elif not _has_todays_views(database):
            with database.write() as connection:
                drop_views(connection)
                create_views(connection)
        return before, REVISION
    finally:
        database.close()


def drop_views(connection: sa.Connection) -> None:
    """Views hold no data: each upgrade drops them all and makes today's, so no migration needs to."""
    for name in sa.inspect(connection).get_view_names():
        connection.execute(sa.text(f"DROP VIEW {name}"))


def create_views(connection: sa.Connection) -> None:
    """Makes today's views, in the SQL of the connection's database."""
    for name, definition in view_definitions(connection.dialect.name).items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {definition}")


def _has_todays_views(database: Database) -> bool:
    """Whether its views are those of this program: they may change without a new version."""
    with database.read() as connection:
        found = sa.inspect(connection)
        views = {name: found.get_view_definition(name) for name in found.get_view_names()}
        definitions = view_definitions(connection.dialect.name)
    return views == {name: f"CREATE VIEW {name} AS {definitions[name]}" for name in definitions}


def is_known(revision: str | None) -> bool:
    """Whether this program knows the way from that version to today's; None is a database without tables."""
    return revision is None or any(MIGRATIONS.glob(f"versions/{revision}_*.py"))


def main(arguments: Sequence[str] | None = None) -> int:
    """The program. Returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="schema.py", description="Create or upgrade the database."
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        default=url_from(),
        help="default: DATABASE_URL, or %(default)s",
    )
    url = parser.parse_args(arguments).database
    try:
        before, after = upgrade(url)
    except ConfigurationError as error:
        print(f"schema.py: {error}", file=sys.stderr)  # noqa: T201
        return 2
    did = {None: "created", after: "unchanged"}.get(before, f"upgraded from {before}")
    print(f"{url}: {did}, version {after}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
