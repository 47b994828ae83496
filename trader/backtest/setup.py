"""What a backtest runs: the strategy as it is configured, or as it is registered under a strategy_id."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from common.errors import ConfigurationError
from common.exchange_status import Exchanges
from common.registry import Registry
from trader.core.decision import State
from trader.core.rules import SMALLEST_AMOUNT, MarketRules
from trader.rule_settings import RuleSettings
from trader.settings import DEFAULT_CONFIG_FILE, load_settings
from trader.strategies.loading import load_class, make, parameters_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.database import Database
    from common.partition import Partition
    from common.registry import Registration
    from trader.core.books import Books
    from trader.core.rules import Conditions, Rules
    from trader.strategies.strategy import Parameters, Strategy


_KEY = "--strategy-id"


@dataclass(frozen=True, slots=True)
class Setup:
    """One strategy with its market, and its rules as its user wrote them."""

    strategy_id: str
    partition: Partition
    strategy_name: str
    strategy: Strategy
    parameters: Mapping[str, Any]
    settings: RuleSettings

    def state(
        self, books: Books, conditions: Conditions, *, rules: Rules, market: MarketRules
    ) -> State:
        """What a decision of this strategy depends on."""
        return State(
            self.strategy_id,
            self.partition.symbol,
            self.partition.timeframe.milliseconds,
            rules,
            market,
            books,
            conditions,
        )


def configured(environment: Mapping[str, str]) -> Setup:
    """The strategy of CONFIG_FILE and the environment, as a trader would run it.

    Raises:
        ConfigurationError: one line for each key that is wrong.
    """
    settings, strategy = load_settings(environment)
    return Setup(
        settings.strategy_id,
        settings.partition,
        settings.strategy,
        strategy,
        settings.parameters.model_dump(),
        settings,
    )


def registered(database: Database, strategy_id: str) -> Setup:
    """The strategy that last ran under that id, with the parameters it had then.

    Raises:
        ConfigurationError: none did, or it cannot be made again.
    """
    return made(Registry(database).registered(strategy_id, key=_KEY), key=_KEY)


def made(found: Registration, *, key: str) -> Setup:
    """The strategy of a registration, with its market and its rules.

    Raises:
        ConfigurationError: it cannot be made again; the message names `key`.
    """
    strategy, parameters = _strategy(found, key)
    return Setup(
        found.strategy_id,
        found.partition,
        found.strategy_name,
        strategy,
        parameters.model_dump(),
        _settings(found, key),
    )


def market_of(database: Database, partition: Partition) -> MarketRules:
    """The market's rules, as far as they are known."""
    market = Exchanges(database).market(partition.exchange, partition.symbol)
    if market is None:
        return MarketRules()
    step = market.amount_step or SMALLEST_AMOUNT
    return MarketRules(step, market.min_amount, market.min_cost, market.price_step or None)


def _strategy(found: Registration, key: str) -> tuple[Strategy, Parameters]:
    folder = Path(found.config_file or DEFAULT_CONFIG_FILE).parent / "strategies"
    strategy = load_class(found.strategy_name, folder)
    try:
        parameters = parameters_of(strategy).model_validate(found.parameters)
        return make(strategy, parameters), parameters
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigurationError(
            f"{key}: expected the registered parameters of {found.strategy_id!r} to be those of "
            f"{found.strategy_name}, found {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from None


def _settings(found: Registration, key: str) -> RuleSettings:
    try:
        return RuleSettings.model_validate(found.rules)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigurationError(
            f"{key}: expected {found.strategy_id!r} to be registered with its rules, found "
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}; start its trader once"
        ) from None
