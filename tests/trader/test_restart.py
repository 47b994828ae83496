"""A process that ends anywhere, and the next one: together they write what one would have written."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.controls import Control, Controls, ControlState
from tests.trader.fills import booked
from tests.trader.market import RULES as MARKET_RULES
from tests.trader.market import TestMarket, closes, new_database
from tests.trader.running import rows
from tests.trader.stage import BALANCE, ID, RULES, STRATEGY, advance, engine_on, register
from trader.core.books import Books
from trader.core.order import OrderType, Side
from trader.core.rules import MarketRules
from trader.core.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Callable

    from trader.core.position import Position
    from trader.core.rules import Rules
    from trader.ledger import Ledger

LEDGER = {
    "signals": "timestamp, signal, price, rsi, indicators, reason, decision",
    "orders": "order_id, client_order_id, side, amount, status, reason, signal_timestamp, decided_at",
    "trades": "trade_id, order_id, exchange_trade_id, side, amount, price, cost, fee, realised_profit, timestamp",
    "positions": "position_id, status, amount, entry_cost, average_entry, realised_profit, fees, opened_at, "
    "closed_at, exit_reason",
    "equity": "timestamp, closed_at, equity, peak, opening",
    "events": "event_id, source, kind, message",
}
MARKET = MarketRules(Decimal("0.00001"), MARKET_RULES.min_amount, MARKET_RULES.min_cost)
ALL_RULES = [
    RULES,
    replace(RULES, trailing_stop=Decimal("0.02"), take_profit=None),
    replace(RULES, max_holding=3, cooldown=2, stop_loss=None),
    replace(RULES, daily_loss=Decimal("0.005"), max_drawdown=Decimal("0.02")),
    replace(RULES, order_type=OrderType.LIMIT, stake=None, stake_share=Decimal("0.5")),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    new_database(folder)
    return folder / "trading.db"


@dataclass(frozen=True)
class Event:
    """Something that happens in the market or to the trader's switch; a price is a change in percent."""

    kind: str
    change: float = 0.0


events = st.lists(
    st.one_of(
        st.builds(Event, st.just("candle"), st.sampled_from([-3.0, -1.0, 0.0, 0.5, 2.0, 4.0])),
        st.builds(Event, st.just("candle"), st.floats(-5, 5).map(lambda change: round(change, 2))),
        st.builds(Event, st.just("tick"), st.floats(-4, 4).map(lambda change: round(change, 2))),
        st.builds(Event, st.sampled_from(["gap", "halt", "reduce", "resume", "away"])),
    ),
    min_size=5,
    max_size=40,
)


class Killed(Exception):
    """The process ended here."""


class Deadly:
    """A journal under which the process is killed, before or after a commit, when the plan says so."""

    def __init__(self, ledger: Ledger, plan: list[int]) -> None:
        self._ledger = ledger
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)
        if not name.startswith("record_"):
            return method

        def write(*arguments: Any, **named: Any) -> Any:
            end = self._plan.pop(0) if self._plan else 0
            if end == 1:
                raise Killed
            answer = method(*arguments, **named)
            if end == 2:
                raise Killed
            return answer

        return write


class Play:
    """The events, one after the other, in a market of their own."""

    def __init__(self, made: Path, folder: str) -> None:
        path = Path(folder) / "trading.db"
        shutil.copy(made, path)
        self.market = TestMarket(f"sqlite:///{path}")
        self.market.open()
        self.price = 100.0
        register(self.market)
        self.market.add(*closes(STRATEGY.warmup, seed=3))
        self.time = self.market.next

    def happen(self, event: Event) -> None:
        self.price = round(self.price * (1 + event.change / 100), 2)
        switches = {
            "halt": ControlState.HALTED,
            "reduce": ControlState.REDUCE_ONLY,
            "resume": ControlState.RUNNING,
        }
        if event.kind == "candle":
            self.market.add(self.price)
            self.time = self.market.next
        elif event.kind == "tick":
            self.time += 1000
            self.market.set_clock(self.time)
            self.market.tick(self.price, spread=0.1, at=self.time)
        elif event.kind == "gap":
            self.market.skip()
        elif event.kind in switches:
            Controls(self.market.database).set(ID, Control(switches[event.kind], "test"))

    def books(self) -> dict[str, list[tuple[object, ...]]]:
        return {
            table: rows(self.market.database, f"SELECT {columns} FROM {table} ORDER BY 1")
            for table, columns in LEDGER.items()
        }


def played(made: Path, story: list[Event], turn: Callable[[Play], None]) -> dict[str, Any]:
    """The ledger after that story; `turn` is the trader's after each event but "away"."""
    with tempfile.TemporaryDirectory() as folder:
        play = Play(made, folder)
        turn(play)
        for event in story:
            play.happen(event)
            if event.kind != "away":
                turn(play)
        turn(play)
        books = play.books()
        play.market.close()
        return books


def one_process(rules: Rules = RULES) -> Callable[[Play], None]:
    engines: list[Any] = []

    def turn(play: Play) -> None:
        if not engines:
            engines.append(engine_on(play.market, rules=rules))
        advance(engines[0])

    return turn


def many_processes(plan: list[int], rules: Rules) -> Callable[[Play], None]:
    """Each turn is a new process; and where the plan says so it is killed and started again."""

    def turn(play: Play) -> None:
        while True:
            try:
                deadly = engine_on(
                    play.market, rules=rules, written_by=lambda ledger: Deadly(ledger, plan)
                )
                advance(deadly)
            except Killed:
                continue
            return

    return turn


@settings(max_examples=20, deadline=None)
@given(
    story=events,
    plan=st.lists(st.sampled_from([0, 0, 1, 2]), max_size=60),
    rules=st.sampled_from(ALL_RULES),
)
def test_restarts_and_kills_at_any_commit_change_nothing_in_the_ledger(made, story, plan, rules):
    killed = played(made, story, many_processes(plan, rules))
    assert killed == played(made, story, one_process(rules))


@settings(max_examples=15, deadline=None)
@given(story=events)
def test_every_candle_has_its_signal_and_the_positions_are_what_the_trades_add_up_to(made, story):
    written = played(made, story, one_process())
    assert len(written["signals"]) == 1 + sum(event.kind == "candle" for event in story)
    assert all(reason and decision for *_, reason, decision in written["signals"])
    books = Books(BALANCE)
    positions: list[Position] = []
    reasons = {row[0]: row[5] for row in written["orders"]}
    for _, order_id, name, side, amount, price, _, fee, profit, at in written["trades"]:
        trade = Trade(
            name, "BTC/USDT", Side(side), Decimal(amount), Decimal(price), Decimal(fee), at
        )
        settlement = booked(books, trade, reasons[order_id], MARKET)
        assert Decimal(profit) == settlement.booked[0][1]
        assert settlement.position is not None
        positions = [*positions[: -1 if books.position else None], settlement.position]
        books = settlement.books
    assert [
        (Decimal(amount), Decimal(cost), Decimal(realised), Decimal(fees), opened, closed, reason)
        for _, _, amount, cost, _, realised, fees, opened, closed, reason in written["positions"]
    ] == [
        (p.amount, p.entry_cost, p.realised_profit, p.fees, p.opened_at, p.closed_at, p.exit_reason)
        for p in positions
    ]
