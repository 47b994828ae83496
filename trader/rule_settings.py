"""The rules of a trader as its user writes them: stakes, limits, fees, and how orders are placed."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from common.settings import Settings
from trader.core.order import OrderType
from trader.core.rules import Rules


def _none_in_words(value: Any) -> Any:
    """An empty variable counts as not given, so it takes a word to switch off what the file switches on."""
    return None if isinstance(value, str) and value.lower() in {"", "none"} else value


Money = Annotated[Decimal, Field(gt=0, max_digits=36, decimal_places=18)]
MoneyOrNone = Annotated[Money | None, BeforeValidator(_none_in_words)]
Share = Annotated[
    Annotated[Decimal, Field(gt=0, lt=1, decimal_places=18)] | None, BeforeValidator(_none_in_words)
]
ShareOfAll = Annotated[
    Annotated[Decimal, Field(gt=0, le=1, decimal_places=18)] | None,
    BeforeValidator(_none_in_words),
]
Ratio = Annotated[Decimal, Field(ge=0, lt=1, decimal_places=18)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Candles = Annotated[int, Field(ge=0, le=1_000_000)]

RULE_VARIABLES = {
    name.upper(): name
    for name in (
        "starting_balance",
        "stake_amount",
        "stake_share",
        "stop_loss",
        "take_profit",
        "trailing_stop",
        "max_holding",
        "cooldown",
        "daily_loss",
        "max_drawdown",
        "symbol_cap",
        "order_type",
        "order_timeout_s",
        "fee_rate",
        "slippage",
        "max_signal_age_s",
        "max_ticker_age_s",
    )
}


class RuleSettings(Settings):
    """See `trader.core.rules.Rules`, and `PaperTerms` of the paper broker for the rest.

    The starting balance is in quote currency.
    """

    starting_balance: Money
    stake_amount: MoneyOrNone = None
    stake_share: ShareOfAll = Field(default=None, validate_default=True)
    stop_loss: Share = None
    take_profit: MoneyOrNone = None
    trailing_stop: Share = None
    max_holding: Candles = 0
    cooldown: Candles = 0
    daily_loss: Share = None
    max_drawdown: Share = None
    symbol_cap: MoneyOrNone = Field(default=None, validate_default=True)
    order_type: OrderType = OrderType.MARKET
    order_timeout_s: Seconds = 60.0
    fee_rate: Ratio = Decimal("0.001")
    slippage: Ratio = Decimal(0)
    max_signal_age_s: Seconds = 120.0
    max_ticker_age_s: Seconds = 60.0

    @property
    def rules(self) -> Rules:
        """What the decisions keep."""
        return Rules(
            stake=self.stake_amount,
            fee_rate=self.fee_rate,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
            max_signal_age_s=self.max_signal_age_s,
            stake_share=self.stake_share,
            trailing_stop=self.trailing_stop,
            max_holding=self.max_holding,
            cooldown=self.cooldown,
            daily_loss=self.daily_loss,
            max_drawdown=self.max_drawdown,
            symbol_cap=self.symbol_cap,
            order_type=self.order_type,
        )

    @field_validator("stake_amount")
    @classmethod
    def _affordable(cls, stake: Decimal | None, info: ValidationInfo) -> Decimal | None:
        balance = info.data.get("starting_balance")
        if stake is not None and balance is not None and stake > balance:
            raise ValueError(
                f"at most the starting balance (STARTING_BALANCE), which is {balance:f}"
            )
        return stake

    @field_validator("stake_share")
    @classmethod
    def _one_stake(cls, share: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if "stake_amount" not in info.data:
            return share  # that one is wrong itself
        amount = info.data["stake_amount"]
        if share is None and amount is None:
            raise ValueError("a share of the equity, since there is no stake_amount (STAKE_AMOUNT)")
        if share is not None and amount is not None:
            raise ValueError(
                f"none, since stake_amount (STAKE_AMOUNT) is {amount:f}; set that to none for a share"
            )
        return share

    @field_validator("symbol_cap")
    @classmethod
    def _room_for_a_stake(cls, cap: Decimal | None, info: ValidationInfo) -> Decimal | None:
        stake = info.data.get("stake_amount")
        if cap is not None and stake is not None and stake > cap:
            raise ValueError(f"at least the stake (STAKE_AMOUNT), which is {stake:f}")
        return cap
