"""What is known of each exchange: its clock, its markets, how it is doing.

The backfiller writes it, so that a paper trader needs no exchange: the SQL of `exchange_status` and
`markets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.clock import MarketClock, wall_now
from common.errors import ConfigurationError
from common.statements import upsert
from schema import exchange_status as table
from schema import markets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from common.database import Database


@dataclass(frozen=True, slots=True)
class Market:
    """The rules of one symbol's orders. None: the exchange tells no such rule.

    Steps and least amount are in base currency, price step and least cost in quote currency.
    """

    symbol: str
    amount_step: Decimal | None = None
    price_step: Decimal | None = None
    min_amount: Decimal | None = None
    min_cost: Decimal | None = None


class Exchanges:
    """The exchanges as the backfiller knows them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_state(
        self, exchange: str, state: str, *, until: int | None = None, error: str | None = None
    ) -> None:
        """Says how an exchange is doing: ok, backing_off or banned, `until` this machine's time."""
        self._upsert(exchange, state=state, state_until=until, last_error=error)

    def record_clock(self, exchange: str, clock: MarketClock) -> None:
        """Keeps an answer of that exchange's clock."""
        self._upsert(
            exchange,
            clock_exchange_time=clock.exchange_time,
            clock_wall_time=clock.wall_time,
            clock_speed=clock.speed,
        )

    def require_source(self, exchange: str, api_url: str | None) -> None:
        """Binds this database to the API that an exchange's rows come from, at its first use.

        Raises:
            ConfigurationError: the rows here came from another one, so that market data of a practice
                exchange and of the real one would be mixed.
        """
        query = sa.select(table.c.api_url).where(table.c.exchange == exchange)
        with self._database.read() as connection:
            known = connection.execute(query).scalar()
        if known is None:
            self._upsert(exchange, api_url=api_url or "")
        elif known != (api_url or ""):
            raise ConfigurationError(
                f"{exchange.upper()}_API_URL: expected {known or 'none'}, from where the {exchange} rows of this "
                f"database came, found {api_url or 'none'}; use another DATABASE_URL for the other exchange"
            )

    def record_markets(
        self, exchange: str, timeframes: Sequence[str], known: Sequence[Market]
    ) -> None:
        """Replaces the list of that exchange's markets and the timeframes it offers."""
        now = wall_now()
        rows = [
            {
                "exchange": exchange,
                "symbol": market.symbol,
                "amount_step": market.amount_step,
                "price_step": market.price_step,
                "min_amount": market.min_amount,
                "min_cost": market.min_cost,
                "updated_at": now,
            }
            for market in known
        ]
        with self._database.write() as connection:
            connection.execute(sa.delete(markets).where(markets.c.exchange == exchange))
            if rows:
                connection.execute(sa.insert(markets), rows)
        self._upsert(exchange, timeframes=",".join(timeframes))

    def clock(self, exchange: str) -> MarketClock | None:
        """The clock of that exchange as last heard; None before it was."""
        query = sa.select(
            table.c.clock_exchange_time, table.c.clock_wall_time, table.c.clock_speed
        ).where(table.c.exchange == exchange, table.c.clock_exchange_time.is_not(None))
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return MarketClock(row.clock_exchange_time, row.clock_wall_time, row.clock_speed)

    def offsets(self) -> list[tuple[str, int, bool]]:
        """Of each exchange whose clock was heard: how far it was ahead of this machine's, in ms, and if it is real."""
        query = (
            sa.select(
                table.c.exchange,
                table.c.clock_exchange_time - table.c.clock_wall_time,
                table.c.api_url == "",
            )
            .where(table.c.clock_exchange_time.is_not(None))
            .order_by(table.c.exchange)
        )
        with self._database.read() as connection:
            return [(row[0], int(row[1]), bool(row[2])) for row in connection.execute(query)]

    def timeframes(self, exchange: str) -> list[str]:
        """The timeframes that exchange offers; empty before its markets are known."""
        query = sa.select(table.c.timeframes).where(table.c.exchange == exchange)
        with self._database.read() as connection:
            names = connection.execute(query).scalar()
        return names.split(",") if names else []

    def market(self, exchange: str, symbol: str) -> Market | None:
        """The rules of that symbol; None if the exchange has no such market, or before it is known."""
        query = sa.select(
            markets.c.symbol,
            markets.c.amount_step,
            markets.c.price_step,
            markets.c.min_amount,
            markets.c.min_cost,
        ).where(markets.c.exchange == exchange, markets.c.symbol == symbol)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Market(*row)

    def _upsert(self, exchange: str, **values: str | float | None) -> None:
        row = values | {"exchange": exchange, "updated_at": wall_now()}
        with self._database.write() as connection:
            upsert(connection, table, row)
