"""What the fuzzing of a live trader's answers has found, each fault by a name of its own; all are mended."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.backfiller.surroundings import rows
from tests.fuzz.tampering import Tampering, tampering
from tests.practice.running import Practice, credentials_of
from tests.trader_live.stage import BUY, SELL, Stage
from trader.brokers.live.answers import fee, number, require_of, seen
from trader.brokers.live.errors import UnclearError
from trader.core.order import Order, OrderStatus, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ORDER = Order(
    "cw1", "BTC/USD", Side.BUY, Decimal(1), "x", 0, 1_700_000_000_000, exchange_order_id="O1"
)
_SEEN = seen({"id": "O1", "status": "closed", "filled": "1", "timestamp": 1_700_000_000_500})
_MADE_AT = 1_700_000_001_000
_TRADE = {
    "id": "T1",
    "order": "O1",
    "symbol": "BTC/USD",
    "side": "buy",
    "amount": "1",
    "price": "100",
    "timestamp": _MADE_AT,
    "fee": {"cost": "0.1", "currency": "USD"},
}


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    found = Practice(
        "--key", "one:practice-secret", "--balance", "USD=1000000", "--balance", "USDT=1000000"
    )
    yield found
    found.stop()


@pytest.fixture(scope="module")
def between(practice) -> Iterator[Tampering]:
    with tampering(practice.url) as found:
        yield found


@pytest.fixture(params=["binance", "coinbase", "kraken"])
def stage(request, practice, between, database_url) -> Iterator[Stage]:
    """A trader's; what it asks goes through what tampers, what the test asks does not."""

    class Tampered:
        environment = between.environment

        def __getattr__(self, name: str) -> Any:
            return getattr(practice, name)

    tampered: Any = Tampered()
    found = Stage(tampered, request.param, database_url, credentials_of(request.param, "one"))
    yield found
    between.spoil = None
    found.close()


def _buys_and_sells(stage: Stage, between: Tampering, spoil: Callable[[str, bytes], bytes]) -> None:
    """A round trip, in whose first half a few answers are spoilt."""
    engine = stage.start()
    stage.say(BUY)
    between.spoil = spoil
    for _ in range(3):
        engine.advance()
        stage.seconds.passed += 40.0
    between.spoil = None
    for _ in range(30):
        engine.advance()
        stage.seconds.passed += 40.0
    stage.run(engine)
    stage.say(SELL)
    stage.run(engine)
    sides = Counter(side for (side,) in rows(stage.database, "SELECT side FROM orders"))
    assert sides == {"buy": 1, "sell": 1}
    assert stage.ledger.books().position is None


def test_a_list_of_markets_without_its_own_is_not_believed_for_good(stage, between):
    lists = ("exchangeInfo", "products", "AssetPairs")

    def spoil(path: str, body: bytes) -> bytes:
        if not path.endswith(lists):
            return body
        content = json.loads(body)
        for key in ("symbols", "products"):
            if key in content:
                content[key] = content[key][:0]
        if "result" in content:
            content["result"] = {}
        return json.dumps(content).encode()

    _buys_and_sells(stage, between, spoil)


def test_a_time_that_was_told_wrongly_is_not_signed_with_for_good(stage, between):
    def spoil(path: str, body: bytes) -> bytes:
        if path.lower().endswith("time"):
            return body.replace(b'"serverTime": 1', b'"serverTime": 9').replace(
                b'"epochMillis": "1', b'"epochMillis": "3'
            )
        return body

    _buys_and_sells(stage, between, spoil)


def test_an_order_that_was_acknowledged_by_a_wrong_id_is_found_by_its_own(stage, between):
    spoilt: list[str] = []

    def spoil(path: str, body: bytes) -> bytes:
        content = json.loads(body)
        inner = content.get("success_response") or content.get("result") or content
        if (
            not spoilt
            and path.endswith(("/order", "/orders", "/AddOrder"))
            and isinstance(inner, dict)
        ):
            for key in ("orderId", "order_id", "txid"):
                if key in inner:
                    inner[key] = ["OXXXXX-XXXXX-XXXXXX"] if key == "txid" else "1000000000"
                    spoilt.append(key)
        return json.dumps(content).encode() if spoilt else body

    _buys_and_sells(stage, between, spoil)


# --- what is read of one answer ---


@pytest.mark.parametrize(
    "status", ["PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED", "canceling"]
)
def test_an_order_on_its_way_is_not_taken_for_a_canceled_one(status):
    assert seen({"id": "1", "status": status, "filled": "0"}).status is OrderStatus.OPEN


@pytest.mark.parametrize("status", ["", "x", 5, None, [], {}, True])
def test_a_status_that_no_order_has_is_no_end_of_it(status):
    with pytest.raises(UnclearError):
        seen({"id": "1", "status": status, "filled": "0"})


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        "x",
        {},
        {"status": "open"},
        {"status": "open", "id": ["x"]},
        {"status": "open", "id": "1", "filled": "-1"},
        {"status": "open", "id": "1", "timestamp": "yesterday"},
        {"status": "open", "id": "1", "timestamp": 10**30},
    ],
)
def test_an_order_without_what_makes_it_one_is_no_answer(raw):
    with pytest.raises(UnclearError):
        seen(raw)


@pytest.mark.parametrize(
    "told", ["1E+999999", "1E-999999", "NaN", "Infinity", "9" * 5000, True, None, [], 1.5, "½"]
)
def test_a_number_that_no_money_can_be_is_no_number(told):
    with pytest.raises(UnclearError):
        number(told)


@pytest.mark.parametrize(
    "change",
    [
        {"id": None}, {"id": ""}, {"id": ["T1"]}, {"order": "O2"}, {"symbol": "ETH/USD"}, {"side": "sell"},
        {"timestamp": None}, {"timestamp": "1"}, {"timestamp": 10**30}, {"timestamp": 1_600_000_000_000},
    ],
)  # fmt: skip
def test_a_trade_without_its_id_or_of_another_order_is_not_written(change):
    require_of(_ORDER, _SEEN, _TRADE)
    with pytest.raises(UnclearError):
        require_of(_ORDER, _SEEN, _TRADE | change)


def test_a_trade_may_be_older_than_restored_books_know_of_its_order_but_not_than_the_order_itself():
    earlier = _MADE_AT - 3_600_000
    with pytest.raises(UnclearError):
        require_of(_ORDER, _SEEN, _TRADE | {"timestamp": earlier})
    placed = seen({"id": "O1", "status": "closed", "filled": "1", "timestamp": earlier})
    require_of(_ORDER, placed, _TRADE | {"timestamp": earlier})
    with pytest.raises(UnclearError):
        require_of(_ORDER, placed, _TRADE | {"timestamp": earlier - 3_600_000})


@pytest.mark.parametrize("cost", ["100", "1e30", "-1e30", "NaN", {"a": 1}])
def test_a_fee_as_high_as_what_was_traded_is_not_written(cost):
    assert fee(_TRADE, _ORDER) == (Decimal("0.1"), "USD")
    with pytest.raises(UnclearError):
        fee(_TRADE | {"fee": {"cost": cost, "currency": "USD"}}, _ORDER)


@pytest.mark.parametrize("told", [None, {}, {"cost": None, "currency": "USD"}])
def test_a_fee_that_is_not_told_is_not_taken_for_none(told):
    assert fee(_TRADE | {"fee": {"cost": "0", "currency": "USD"}}, _ORDER) == (Decimal(0), "USD")
    with pytest.raises(UnclearError):
        fee(_TRADE | {"fee": told}, _ORDER)
