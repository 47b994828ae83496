"""What a strategy says about how its indicators are drawn. It need not say anything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from trader.strategies.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Drawing:
    """The levels of an indicator by its name, and the indicators that are prices.

    What is not named has no levels, and a chart of its own.
    """

    levels: Mapping[str, tuple[float, ...]]
    on_price: frozenset[str]


def drawing_of(strategy: Strategy) -> Drawing:
    """What a strategy's attributes `levels` and `on_price` say, if it has them.

    Raises:
        ConfigurationError: they are not what `strategy.Strategy` says.
    """
    return Drawing(_levels(strategy), _on_price(strategy))


def _levels(strategy: Strategy) -> dict[str, tuple[float, ...]]:
    said: object = getattr(strategy, "levels", {})
    expected = 'levels to be as {"rsi": (30, 70)}'
    if not isinstance(said, Mapping):
        raise _unusable(strategy, expected, said)
    try:
        levels = {str(name): tuple(map(float, found)) for name, found in said.items()}
    except (TypeError, ValueError):
        raise _unusable(strategy, expected, said) from None
    if not all(math.isfinite(level) for found in levels.values() for level in found):
        raise _unusable(strategy, expected, said)
    return levels


def _on_price(strategy: Strategy) -> frozenset[str]:
    said: object = getattr(strategy, "on_price", ())
    if isinstance(said, str) or not isinstance(said, Iterable):
        raise _unusable(strategy, "on_price to be names of indicators", said)
    return frozenset(map(str, said))


def _unusable(strategy: Strategy, expected: str, found: object) -> ConfigurationError:
    return ConfigurationError(
        f"STRATEGY: expected {type(strategy).__name__}.{expected}, found {found!r}"
    )
