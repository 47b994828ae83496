from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from practice.fault import WAYS, Fault
from practice.faults import Faults
from practice.markets import market_of
from practice.prices import GeneratedPath
from practice.tape import Row, Window, rows_of
from practice.venue import Listing

if TYPE_CHECKING:
    from tests.practice.running import Practice

MINUTE = 60_000
CLOSE = 1_780_000_020_000  # of a minute
MARKET = market_of("binance", "BTC/USDT")
LISTING = Listing(MARKET, GeneratedPath(MARKET, "binance", 1))


def at(age_ms: int, length_ms: int = MINUTE) -> Window:
    """Twenty candles, the last but one of which closed so long ago."""
    now_ms = CLOSE // length_ms * length_ms + age_ms
    return Window(LISTING, length_ms, now_ms - 20 * length_ms + 1, now_ms, now_ms)


def printed(window: Window, **fault: Any) -> list[Row]:
    waiting = Faults()
    waiting.add(Fault.parse(fault))
    return waiting.misprinted("binance", window, rows_of(window))


def is_possible(row: Row, window: Window) -> bool:
    """Whether a candle may be so, but for its neighbours."""
    numbers = [math.nan if one is None else float(one) for one in row[1:]]
    opened, high, low, close, volume = numbers
    return (
        all(map(math.isfinite, numbers))
        and 0 < low <= min(opened, close) <= max(opened, close) <= high
        and volume >= 0
        and row.opens_ms % window.length_ms == 0
        and row.opens_ms <= window.now_ms
    )


def test_the_candle_just_closed_has_other_values_until_it_is_revised() -> None:
    young, old = at(9_999), at(10_000)
    fault: dict[str, Any] = {"kind": "revision", "lasts_ms": 10_000}
    truth, rows = rows_of(young), printed(young, **fault)
    assert rows[:-2] == truth[:-2]
    assert rows[-1] == truth[-1]
    assert rows[-2][:2] == truth[-2][:2]
    assert all(one != other for one, other in zip(rows[-2][2:], truth[-2][2:], strict=True))
    assert is_possible(rows[-2], young)
    assert printed(at(5_000), **fault)[-2] == rows[-2]
    assert printed(old, **fault) == rows_of(old)


def test_the_candle_just_closed_is_late() -> None:
    for age_ms in (0, 9_999):
        truth = rows_of(at(age_ms))
        assert printed(at(age_ms), kind="late", lasts_ms=10_000) == [*truth[:-2], truth[-1]]
    assert printed(at(10_000), kind="late", lasts_ms=10_000) == rows_of(at(10_000))


@pytest.mark.parametrize("kind", ["revision", "late"])
def test_by_default_a_candle_is_right_half_a_candle_after_its_close(kind: str) -> None:
    hour = 60 * MINUTE
    assert printed(at(hour // 2 - 1, hour), kind=kind) != rows_of(at(hour // 2 - 1, hour))
    assert printed(at(hour // 2, hour), kind=kind) == rows_of(at(hour // 2, hour))


def test_a_probability_is_that_of_each_candle_and_the_seed_says_of_which() -> None:
    def late(seed: int) -> set[int]:
        fault = {"kind": "late", "lasts_ms": 10**9, "probability": 0.3, "seed": seed}
        window = Window(LISTING, MINUTE, CLOSE - 500 * MINUTE, CLOSE, CLOSE)
        kept = {row.opens_ms for row in printed(window, **fault)}
        return {row.opens_ms for row in rows_of(window)} - kept

    assert late(1) == late(1) != late(2)
    assert 100 < len(late(1)) < 200


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(8))
def test_a_bad_row_is_bad_in_the_way_that_was_asked_for(way: str, seed: int) -> None:
    window = at(30_000)
    truth, rows = rows_of(window), printed(window, kind="bad_rows", way=way, seed=seed)
    spoiled = [row for row in rows if row not in truth]
    if way == "out_of_order":
        assert sorted(rows) == truth
        assert rows != truth
    elif way == "duplicate":
        ((opens_ms, *_),) = spoiled
        assert len(rows) == len(truth) + 1
        assert [row.opens_ms for row in rows].count(opens_ms) == 2
    else:
        assert len(rows) == len(truth)
        assert [is_possible(row, window) for row in spoiled] == [False]
    assert rows[-1] == truth[-1] or way == "out_of_order"


def test_every_way_comes_by_chance() -> None:
    window = at(30_000)
    seen = {str(printed(window, kind="bad_rows", seed=seed)) for seed in range(100)}
    assert len(seen) > 50


@pytest.mark.parametrize("seed", range(10))
def test_rows_are_missing_from_the_middle(seed: int) -> None:
    truth, rows = rows_of(at(1)), printed(at(1), kind="missing_rows", seed=seed)
    assert 0 < len(truth) - len(rows) < 12
    assert [row for row in truth if row in rows] == rows
    assert (rows[0], rows[-1]) == (truth[0], truth[-1])
    missing = [row.opens_ms for row in truth if row not in rows]
    assert missing[-1] - missing[0] == (len(missing) - 1) * MINUTE


@pytest.mark.parametrize(
    ("changed", "strikes"),
    [
        ({"symbol": "BTC/USDT", "timeframe": "1m"}, True),
        ({"symbol": "ETH/USDT"}, False),
        ({"timeframe": "5m"}, False),
        ({"exchange": "kraken"}, False),
    ],
)
def test_a_misprint_is_of_one_exchange_symbol_and_timeframe(
    changed: dict[str, str], strikes: bool
) -> None:
    assert (printed(at(1), kind="empty", **changed) == []) is strikes


def test_a_misprint_that_changes_nothing_waits_for_an_answer_that_it_can_change() -> None:
    faults = Faults()
    faults.add(Fault("revision", lasts_ms=1000))
    faults.misprinted("binance", at(1000), rows_of(at(1000)))
    assert len(faults.waiting()) == 1
    faults.misprinted("binance", at(999), rows_of(at(999)))
    assert faults.waiting() == []


@pytest.mark.parametrize(
    ("exchange", "symbol"),
    [("binance", "BTC/USDT"), ("coinbase", "BTC/USD"), ("kraken", "BTC/USD")],
)
def test_every_misprint_reaches_the_caller_of_ccxt(
    practice: Practice, exchange: str, symbol: str
) -> None:
    def rows(**fault: Any) -> Any:
        since = practice.now_ms() - 10 * MINUTE
        practice.suffer(exchange=exchange, symbol=symbol, timeframe="1m", **fault)
        found = practice.asked(exchange, lambda client: client.fetch_ohlcv(symbol, "1m", since, 20))
        assert practice.ask("faults") == []
        return found

    assert rows(kind="empty") == []
    assert len(rows(kind="missing_rows")) < 10
    assert any(None in row for row in rows(kind="bad_rows", way="none"))
    assert any(math.isnan(sum(row)) for row in rows(kind="bad_rows", way="nan"))
    assert any(row[5] < 0 for row in rows(kind="bad_rows", way="negative_volume"))
    assert any(row[0] % MINUTE for row in rows(kind="bad_rows", way="off_grid"))
    times = [row[0] for row in rows(kind="bad_rows", way="duplicate")]
    assert len(set(times)) == len(times) - 1
    newest = practice.now_ms() // MINUTE * MINUTE - MINUTE
    ((*_, volume),) = practice.truth(exchange, symbol, "1m", since=newest, limit=1)
    revised = {row[0]: row[5] for row in rows(kind="revision", lasts_ms=2 * MINUTE)}
    assert revised[newest] != volume
    assert newest not in {row[0] for row in rows(kind="late", lasts_ms=2 * MINUTE)}
