"""`candlewell pnl`, `trades` and `signals`: the books of all strategies."""

from __future__ import annotations

import click

from candlewell import options
from candlewell.books import newest_signals, newest_trades, profits
from candlewell.listing import Column, number, plain, show
from common.times import span_of

_PNL = (
    Column("strategy_id", "strategy_id"),
    Column("mode", "mode"),
    Column("currency", "currency"),
    Column("trades", "trades", number(0), is_number=True),
    Column("round trips", "round_trips", number(0), is_number=True),
    Column("realised", "realised_profit", number(2, signed=True), is_number=True),
    Column("open", "unrealised_profit", number(2, signed=True), is_number=True),
    Column("fees", "fees", number(2), is_number=True),
    Column("return", "return", lambda ratio: f"{ratio:+.2%}", is_number=True),
    Column("drawdown", "drawdown", lambda ratio: f"{ratio:.2%}", is_number=True),
)
_TRADES = (
    Column("UTC", "timestamp"),
    Column("strategy_id", "strategy_id"),
    Column("symbol", "symbol"),
    Column("side", "side"),
    Column("amount", "amount", plain, is_number=True),
    Column("price", "price", plain, is_number=True),
    Column("fee", "fee", plain, is_number=True),
    Column("in", "fee_currency"),
    Column("profit", "realised_profit", number(2, signed=True), is_number=True),
    Column("why", "reason"),
)
_SIGNALS = (
    Column("candle, UTC", "timestamp"),
    Column("strategy_id", "strategy_id"),
    Column("signal", "signal"),
    Column("price", "price", "{:g}".format, is_number=True),
    Column("RSI", "rsi", number(1), is_number=True),
    Column("decision", "decision"),
    Column("why", "reason"),
)


@click.command(epilog="Example: candlewell pnl --json")
@options.strategies
@options.as_json
def pnl(strategy_ids: tuple[str, ...], as_json: bool) -> None:
    """Profit and loss of each strategy in its quote currency, fees inside.

    Open is what the position would make at the close of the newest candle. Return is of the starting balance, drawdown
    the worst so far.
    """
    with options.opened() as database:
        rows = profits(database, options.known(database, strategy_ids))
    show(rows, _PNL, as_json=as_json, nothing="no strategy has registered yet")


@click.command(epilog="Example: candlewell trades --strategy-id trader-btc-binance-1h --limit 5")
@options.strategies
@options.since
@options.limit
@options.as_json
def trades(
    strategy_ids: tuple[str, ...],
    since: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """What was executed, newest first."""
    start, _ = span_of(since, None)
    with options.opened() as database:
        rows = newest_trades(database, options.known(database, strategy_ids), start, limit)
    show(rows, _TRADES, as_json=as_json, nothing="no such trade")


@click.command(epilog="Example: candlewell signals --signal buy --signal sell")
@options.strategies
@click.option(
    "--signal",
    "kinds",
    type=click.Choice(["buy", "sell", "hold"]),
    multiple=True,
    help="Only of this kind; may be repeated.",
)
@options.since
@options.limit
@options.as_json
def signals(
    strategy_ids: tuple[str, ...],
    kinds: tuple[str, ...],
    since: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """What each strategy said at a candle, and what its trader made of it, newest first."""
    start, _ = span_of(since, None)
    with options.opened() as database:
        wanted = options.known(database, strategy_ids)
        rows = newest_signals(database, wanted, kinds, start, limit)
    show(rows, _SIGNALS, as_json=as_json, nothing="no such signal")


COMMANDS = {"pnl": pnl, "trades": trades, "signals": signals}
