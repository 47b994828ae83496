"""The trader's configuration: its YAML file with the environment over it."""

from __future__ import annotations

import re
from collections.abc import Callable  # noqa: TC003 - pydantic reads this module's names
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    create_model,
    field_validator,
)

from common.database import DEFAULT_URL
from common.errors import ConfigurationError
from common.partition import Partition, check_exchange, check_symbol
from common.settings import Settings, load, read_yaml
from common.timeframe import Timeframe  # noqa: TC001
from trader.core.rules import Rules
from trader.strategies.loading import load_class, make, parameters_of
from trader.strategies.strategy import Parameters  # noqa: TC001
from trader.strategies.variables import PARAMETER, parameter_variables, require_own_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trader.strategies.strategy import Strategy

DEFAULT_CONFIG_FILE = "config/trader.yml"
VARIABLES = {
    "CONFIG_FILE": "config_file",
    "DATABASE_URL": "database_url",
    "STRATEGY_ID": "strategy_id",
    "EXCHANGE": "exchange",
    "SYMBOL": "symbol",
    "TIMEFRAME": "timeframe",
    "STRATEGY": "strategy",
    "MODE": "mode",
    "STARTING_BALANCE": "starting_balance",
    "STAKE_AMOUNT": "stake_amount",
    "STOP_LOSS": "stop_loss",
    "TAKE_PROFIT": "take_profit",
    "FEE_RATE": "fee_rate",
    "MAX_SIGNAL_AGE_S": "max_signal_age_s",
    "MAX_TICKER_AGE_S": "max_ticker_age_s",
}
_STRATEGY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TAKEN = {"backfiller"}  # the names of other daemons


def _formed(check: Callable[[str], str]) -> AfterValidator:
    """A check of `common.partition` as pydantic wants it: the error says what was expected, and no more."""

    def validate(text: str) -> str:
        try:
            return check(text)
        except ConfigurationError as error:
            expected = str(error).partition("expected ")[2].rpartition(", found ")[0]
            raise ValueError(expected) from None

    return AfterValidator(validate)


def _none_in_words(value: Any) -> Any:
    """An empty variable counts as not given, so it takes a word to switch off what the file switches on."""
    return None if isinstance(value, str) and value.lower() in {"", "none"} else value


Money = Annotated[Decimal, Field(gt=0, max_digits=36, decimal_places=18)]
Share = Annotated[
    Annotated[Decimal, Field(gt=0, lt=1, decimal_places=18)] | None, BeforeValidator(_none_in_words)
]
Gain = Annotated[
    Annotated[Decimal, Field(gt=0, max_digits=36, decimal_places=18)] | None,
    BeforeValidator(_none_in_words),
]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class TraderSettings(Settings):
    """One trader. Balance and stake are in quote currency.

    `stop_loss` and `take_profit` are ratios of the average entry, `fee_rate` one of an order's cost.
    """

    config_file: Path
    database_url: str = DEFAULT_URL
    exchange: Annotated[str, _formed(check_exchange)]
    symbol: Annotated[str, _formed(check_symbol)]
    timeframe: Timeframe
    strategy_id: str = Field(default="", validate_default=True)
    mode: str = "paper"
    strategy: str = "rsi"
    parameters: Parameters
    starting_balance: Money
    stake_amount: Money
    stop_loss: Share = None
    take_profit: Gain = None
    fee_rate: Annotated[Decimal, Field(ge=0, lt=1, decimal_places=18)] = Decimal("0.001")
    max_signal_age_s: Seconds = 120.0
    max_ticker_age_s: Seconds = 60.0

    @property
    def partition(self) -> Partition:
        """The candles it trades on."""
        return Partition(self.exchange, self.symbol, self.timeframe)

    @property
    def rules(self) -> Rules:
        """What its decisions keep."""
        return Rules(
            stake=self.stake_amount,
            fee_rate=self.fee_rate,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
            max_signal_age_s=self.max_signal_age_s,
        )

    @field_validator("strategy_id")
    @classmethod
    def _named(cls, strategy_id: str, info: ValidationInfo) -> str:
        if not strategy_id and {"symbol", "exchange", "timeframe"} <= info.data.keys():
            base = info.data["symbol"].partition("/")[0].lower()
            return f"trader-{base}-{info.data['exchange']}-{info.data['timeframe']}"
        if strategy_id in _TAKEN or (strategy_id and not _STRATEGY_ID.fullmatch(strategy_id)):
            taken = " or ".join(sorted(_TAKEN))
            raise ValueError(f"1 to 64 of the characters A-Z a-z 0-9 . _ - and not {taken}")
        return strategy_id

    @field_validator("mode")
    @classmethod
    def _known_mode(cls, mode: str) -> str:
        if mode == "live":
            raise ValueError("paper, since live trading is not in this version")
        if mode != "paper":
            raise ValueError("paper")
        return mode

    @field_validator("stake_amount")
    @classmethod
    def _affordable(cls, stake: Decimal, info: ValidationInfo) -> Decimal:
        balance = info.data.get("starting_balance")
        if balance is not None and stake > balance:
            raise ValueError(
                f"at most the starting balance (STARTING_BALANCE), which is {balance:f}"
            )
        return stake


def load_settings(environment: Mapping[str, str]) -> tuple[TraderSettings, Strategy]:
    """The settings, and the strategy that they name.

    Raises:
        ConfigurationError: one line for each key that is wrong.
    """
    file = Path(environment.get("CONFIG_FILE") or DEFAULT_CONFIG_FILE)
    content = read_yaml(file)
    in_file = content.get("strategy", TraderSettings.model_fields["strategy"].default)
    name = str(environment.get("STRATEGY") or in_file)
    strategy = load_class(name, file.parent / "strategies")
    if name != in_file:
        require_own_parameters(content, parameters_of(strategy), f"{file}, written for {in_file}")
    typed: dict[str, Any] = {
        "parameters": (
            parameters_of(strategy),
            Field(default_factory=dict, validate_default=True),
        ),
    }
    model = create_model("TraderSettings", __base__=TraderSettings, **typed)
    given = {**environment, "CONFIG_FILE": str(file)}
    variables = VARIABLES | parameter_variables(name, typed["parameters"][0], TraderSettings)
    settings = load(model, file=file, environment=given, variables=variables, prefix=PARAMETER)
    return settings, make(strategy, settings.parameters)
