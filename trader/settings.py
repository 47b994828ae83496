"""The trader's configuration: its YAML file with the environment over it."""

from __future__ import annotations

import re
from collections.abc import Callable  # noqa: TC003 - pydantic reads this module's names
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationInfo,
    create_model,
    field_validator,
)

from common.database import DEFAULT_URL
from common.errors import ConfigurationError
from common.given import require_variables
from common.partition import Partition, check_exchange, check_symbol
from common.settings import load
from common.timeframe import Timeframe  # noqa: TC001
from common.yaml_file import read_yaml
from trader.rule_settings import RULE_VARIABLES, RuleSettings
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
    "LIVE_CONFIRM": "live_confirm",
    "HOLD_RETENTION_DAYS": "hold_retention_days",
    **RULE_VARIABLES,
}
LIVE_EXCHANGES = ("binance", "coinbase", "kraken")  # whose ways with orders are known
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


class TraderSettings(RuleSettings):
    """One trader. Candles that were held at are kept for so many days."""

    config_file: Path
    database_url: str = DEFAULT_URL
    exchange: Annotated[str, _formed(check_exchange)]
    symbol: Annotated[str, _formed(check_symbol)]
    timeframe: Timeframe
    strategy_id: str = Field(default="", validate_default=True)
    mode: Literal["paper", "live"] = "paper"
    live_confirm: str = Field(default="", validate_default=True)
    strategy: str = "rsi"
    parameters: Parameters
    hold_retention_days: Annotated[int, Field(ge=1, le=36_500)] = 92

    @property
    def partition(self) -> Partition:
        """The candles it trades on."""
        return Partition(self.exchange, self.symbol, self.timeframe)

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

    @field_validator("live_confirm")
    @classmethod
    def _confirmed(cls, confirm: str, info: ValidationInfo) -> str:
        """The second switch: real orders need both, and of the right strategy."""
        if info.data.get("mode") != "live" or not {"strategy_id", "exchange"} <= info.data.keys():
            return confirm
        if info.data["exchange"] not in LIVE_EXCHANGES:
            raise ValueError(
                f"no MODE=live at {info.data['exchange']}: orders are placed at {', '.join(LIVE_EXCHANGES)} only"
            )
        if confirm != info.data["strategy_id"]:
            raise ValueError(
                f"the STRATEGY_ID, {info.data['strategy_id']}, since MODE is live (LIVE_CONFIRM)"
            )
        return confirm


def load_settings(environment: Mapping[str, str]) -> tuple[TraderSettings, Strategy]:
    """The settings, and the strategy that they name.

    Raises:
        ConfigurationError: one line for each key that is wrong.
    """
    require_variables(environment, VARIABLES)
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
