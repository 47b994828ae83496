"""A second, naive backtest, written from the rules in docs/BACKTEST.md and nothing else of the product.

One pass over the candles in plain variables. It is slow and knows nothing of orders, states or books.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, getcontext

getcontext().prec = 80
HOUR = 3_600_000
UNIT = Decimal(1).scaleb(-18)


@dataclass
class Given:
    """The rules of one run."""

    cash: Decimal
    stake: Decimal
    fee: Decimal
    stop: Decimal | None
    target: Decimal | None
    slippage: Decimal
    step: Decimal
    min_amount: Decimal | None
    min_cost: Decimal | None
    tick: Decimal | None


Fill = tuple[str, Decimal, Decimal, Decimal, int]


def to_18(number: Decimal) -> Decimal:
    return number.quantize(UNIT, rounding=ROUND_HALF_EVEN)


def down(number: Decimal, step: Decimal) -> Decimal:
    return number // step * step


def buy_price(price: Decimal, given: Given) -> Decimal:
    price = price * (1 + given.slippage)
    if given.tick is None:
        return to_18(price)
    floor = down(price, given.tick)
    return floor if floor == price else floor + given.tick


def sell_price(price: Decimal, given: Given) -> Decimal:
    price = price * (1 - given.slippage)
    if given.tick is None:
        return to_18(price)
    return max(down(price, given.tick), given.tick)


def wanted_amount(close: Decimal, cash: Decimal, given: Given) -> Decimal | None:
    """What an entry buys, judged at the candle's close; None if there is none."""
    amount = down(to_18(given.stake / (close * (1 + given.fee))), given.step)
    if amount == 0 or given.stake > cash:
        return None
    if given.min_amount is not None and amount < given.min_amount:
        return None
    if given.min_cost is not None and amount * close < given.min_cost:
        return None
    left = down(amount * (1 - given.fee), given.step)
    if left == 0 or (given.min_amount is not None and left < given.min_amount):
        return None
    lower = close * (1 - (given.stop or Decimal("0.5")))
    if given.min_cost is not None and left * lower < given.min_cost:
        return None
    return amount


def trades(  # noqa: C901, PLR0912, PLR0915 - one pass, with everything in sight
    rows: list[tuple[int, float, float, float, float, float]], given: Given, warmup: int
) -> tuple[list[Fill], Decimal, Decimal]:
    """Every fill, the cash and the amount at the end. A candle's last number is 1 for buy, 2 for sell."""
    cash, held, paid = given.cash, Decimal(0), Decimal(0)
    entered_at = 0
    waiting: tuple[str, Decimal] | None = None
    fills: list[Fill] = []

    def is_too_little(price: Decimal) -> bool:
        if given.min_amount is not None and held < given.min_amount:
            return True
        return given.min_cost is not None and held * price < given.min_cost

    def sold(price: Decimal, time: int, judged_at: Decimal | None = None) -> None:
        nonlocal cash, held
        if judged_at is not None and is_too_little(judged_at):
            held = Decimal(0)  # written off
            return
        fee = to_18(held * price * given.fee)
        fills.append(("sell", held, price, fee, time))
        cash += held * price - fee
        held = Decimal(0)

    for number, row in enumerate(rows):
        time = row[0]
        opened, high, low, close = (Decimal(repr(price)) for price in row[1:5])
        if waiting and waiting[0] == "buy":
            price, amount = buy_price(opened, given), waiting[1]
            fee = to_18(amount * price * given.fee)
            if amount * price + fee <= cash:
                fills.append(("buy", amount, price, fee, time))
                paid, held, entered_at = amount * price + fee, amount, time
                cash -= paid
        elif waiting:
            sold(sell_price(opened, given), time)
        waiting = None
        if held:
            average = to_18(paid / held)
            stop = None if given.stop is None else average * (1 - given.stop)
            target = None if given.target is None else average * (1 + given.target)
            inside = time + HOUR - 1
            at_open = inside if entered_at == time else time
            if stop is not None and low <= stop:
                if opened <= stop:
                    sold(sell_price(opened, given), at_open, opened)
                else:
                    sold(sell_price(stop, given), inside, stop)
            elif target is not None and high >= target:
                if opened >= target:
                    sold(sell_price(opened, given), at_open, opened)
                else:
                    sold(sell_price(target, given), inside, target)
        window = rows[max(0, number + 1 - warmup) : number + 1]
        if len(window) < warmup or time - window[0][0] != (warmup - 1) * HOUR:
            continue
        if row[5] == 1 and not held:
            wanted = wanted_amount(close, cash, given)
            waiting = ("buy", wanted) if wanted else None
        elif row[5] == 2 and held and is_too_little(close):
            held = Decimal(0)
        elif row[5] == 2 and held:
            waiting = ("sell", held)
    return fills, cash, held
