"""Rebuilds the books from the orders and trades that were written; and compares what they come to with the rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from decimal import DecimalException
from typing import TYPE_CHECKING

from trader.audit.changes import Change, Why
from trader.audit.difference import Difference, Kind, words
from trader.audit.positions import by_opening
from trader.audit.rows import order_of, outcomes_of, trade_of
from trader.core.books import Books, Settlement
from trader.core.money import ZERO, exactly, plain
from trader.core.order import OrderStatus, Purpose, Side
from trader.ledger.ledger import BY_HAND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from trader.core.order import Order
    from trader.core.outcome import Outcome
    from trader.core.position import Position
    from trader.core.rules import MarketRules
    from trader.core.trade import Trade
    from trader.ledger.written import OrderRow, PositionRow, Records, TradeRow

TOO_LITTLE = "; too little to sell: "
_AT_SIGNALS = {Purpose.ENTRY, Purpose.EXIT, Purpose.TIME_STOP}
_IMPOSSIBLE = (ValueError, DecimalException, AssertionError)


class Rebuilding:
    """The changes in order, the positions they make, and the differences from the rows.

    `at_once`: an order is filled in one trade, which is its end, as on paper.
    """

    def __init__(
        self, records: Records, balance: Decimal, market: MarketRules, *, at_once: bool
    ) -> None:
        self.changes: list[Change] = []
        self.positions: list[Position] = []
        self.differences: list[Difference] = []
        self._books = Books(balance)
        self._market = market
        self._at_once = at_once
        self._last: tuple[Books, Outcome] | None = None
        self._rows = by_opening(records.positions)
        self._opened: Counter[int] = Counter()
        self._write_offs = _decided_write_offs(records)
        trades: dict[int, list[TradeRow]] = defaultdict(list)
        for trade in records.trades:
            trades[trade.order_id].append(trade)
        for order in records.orders:
            if order.side == Side.BUY.value:
                self._write_off()
            self._take(order, trades[order.order_id])
        self._write_off()

    def _take(self, row: OrderRow, trades: Sequence[TradeRow]) -> None:
        """One order and all that came of it."""
        try:
            order = order_of(row)
            books = self._books.ordered(order)
        except _IMPOSSIBLE as error:
            self._impossible(Kind.ORDER, row.decided_at, f"order {row.client_order_id}", error)
            return
        self._change(_why(self._books, order), books, row, earliest=row.created_at)
        self._last = None
        for told, outcome in outcomes_of(row, list(self._possible(trades)), at_once=self._at_once):
            self._settle(row, told, outcome)
        self._compare_amount(row, trades)
        if self._books.pending is not None and OrderStatus(row.status).is_end:
            self._books = replace(self._books, pending=None)

    def _settle(self, row: OrderRow, told: Sequence[TradeRow], outcome: Outcome) -> None:
        before = self._books
        try:
            settlement = self._settled(outcome)
        except _IMPOSSIBLE as error:
            self._impossible(Kind.TRADE, row.decided_at, f"order {row.client_order_id}", error)
            return
        for trade, (replayed, profit) in zip(told, settlement.booked, strict=True):
            self._compare_trade(trade, replayed, profit)
        self._note(settlement.position)
        earliest = row.updated_at if outcome.status.is_end else row.created_at
        self._change(Why.OUTCOME, settlement.books, row, earliest=earliest, latest=row.updated_at)
        self._last = (before, outcome) if outcome.trades else None

    def _settled(self, outcome: Outcome) -> Settlement:
        """What the books make of it.

        An end that was told with the last trade has what is left written off, if that is dust; one that was told
        after it has not. Which it was, and when it was written off, only the position's row tells.
        """
        row = self._row_of_open()
        now, is_dust = 0, False
        if row is not None and row.closed_at is not None and row.dust and not _is_by_hand(row):
            now, is_dust = row.closed_at, TOO_LITTLE not in (row.exit_reason or "")
        if is_dust and self._last is not None and outcome.status.is_end:
            books, last = self._last
            with_last = replace(outcome, trades=last.trades)
            whole = books.settled(with_last, market=self._market, now=now)
            return Settlement(whole.books, (), whole.position)
        return self._books.settled(outcome, market=self._market, now=now)

    def _write_off(self) -> None:
        """A position that no order closed, and that its row says was closed as dust."""
        row = self._row_of_open()
        if row is None or row.closed_at is None or not row.dust or self._books.pending:
            return
        reason = row.exit_reason or ""
        settlement = self._books.written_off(row.closed_at, reason)
        assert settlement.position is not None
        assert self._books.position is not None
        said = f"write off {self._books.position.amount:f}: {reason.partition(TOO_LITTLE)[2]}"
        decided = self._write_offs.get(said, [])
        candle = decided.pop(0) if decided and decided[0] < row.closed_at else None
        why = Why.SIGNAL if candle is not None else _why_written_off(self._books, row)
        self._note(settlement.position)
        self.changes.append(
            Change(
                why,
                self._books,
                settlement.books,
                candle=candle,
                before_close_after=row.closed_at,
                written_off=settlement.position,
            )
        )
        self._books = settlement.books

    def _row_of_open(self) -> PositionRow | None:
        position = self._books.position
        if position is None:
            return None
        rows, at = self._rows.get(position.opened_at, []), self._opened[position.opened_at] - 1
        return rows[at] if at < len(rows) else None

    def _note(self, position: Position | None) -> None:
        """Keeps what a position is now."""
        if position is None:
            return
        if self.positions and self.positions[-1].closed_at is None:
            self.positions[-1] = position
        else:
            self._opened[position.opened_at] += 1
            self.positions.append(position)

    def _change(
        self,
        why: Why,
        books: Books,
        row: OrderRow,
        *,
        earliest: int,
        latest: int | None = None,
    ) -> None:
        candle = row.signal_timestamp if why in {Why.SIGNAL, Why.LIMIT} else None
        latest = earliest if latest is None else latest
        self.changes.append(Change(why, self._books, books, candle, earliest, latest, order=row))
        self._books = books

    # --- comparing ---

    def _possible(self, rows: Sequence[TradeRow]) -> Iterator[tuple[TradeRow, Trade]]:
        for row in rows:
            try:
                yield row, trade_of(row)
            except _IMPOSSIBLE as error:
                self._impossible(Kind.TRADE, row.timestamp, row.exchange_trade_id, error)

    def _compare_trade(self, row: TradeRow, trade: Trade, profit: Decimal) -> None:
        for what, written, replayed in (
            ("cost", row.cost, trade.cost),
            ("fee_cost", row.fee_cost, trade.fee_cost),
            ("realised_profit", row.realised_profit, profit),
        ):
            if written != replayed:
                self._differ(
                    Kind.TRADE, row.timestamp, f"{row.exchange_trade_id} {what}", written, replayed
                )

    def _compare_amount(self, row: OrderRow, trades: Sequence[TradeRow]) -> None:
        with exactly():
            traded = plain(sum((trade.amount for trade in trades), ZERO))
        # An exchange may be told what to spend instead, and fill a little less or more.
        is_whole = traded >= row.amount if self._at_once else traded > ZERO
        is_filled = row.status == OrderStatus.FILLED.value
        if is_filled != is_whole and (is_filled or self._at_once):
            what = f"order {row.client_order_id} {row.status}"
            self._differ(Kind.TRADE, row.decided_at, what, row.amount, f"traded {traded:f}")

    def _impossible(self, kind: Kind, timestamp: int, what: str, error: Exception) -> None:
        said = str(error) or type(error).__name__
        self._differ(kind, timestamp, what, "as it is", f"impossible: {said}")

    def _differ(
        self, kind: Kind, timestamp: int, what: str, written: object, replayed: object
    ) -> None:
        self.differences.append(Difference(kind, timestamp, what, words(written), words(replayed)))


def _why(books: Books, order: Order) -> Why:
    if books.exiting is not None and order.side is Side.SELL:
        return Why.AGAIN
    return Why.SIGNAL if order.purpose in _AT_SIGNALS else Why.LIMIT


def _is_by_hand(row: PositionRow) -> bool:
    return (row.exit_reason or "").startswith(BY_HAND)


def _why_written_off(books: Books, row: PositionRow) -> Why:
    if _is_by_hand(row):
        return Why.PERSON
    return Why.LIMIT if books.exiting is None else Why.AGAIN


def _decided_write_offs(records: Records) -> dict[str, list[int]]:
    """The candles at which a position was written off, by the words of the decision."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in records.signals:
        if row.decision.startswith("write off "):
            found[row.decision].append(row.timestamp)
    return found
