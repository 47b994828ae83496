"""What a strategy is."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, Protocol, get_args

from pydantic import ValidationInfo, field_validator

from common.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


class Parameters(Settings):
    """The typed parameters of a strategy: `parameters:` in the YAML file. This one takes none."""

    @field_validator("*", mode="before")
    @classmethod
    def _none_in_words(cls, value: Any, info: ValidationInfo) -> Any:
        """An empty variable counts as not given, so it takes a word to switch off what the file switches on."""
        field = cls.model_fields[info.field_name or ""]
        may_be_none = NoneType in get_args(field.annotation)
        return None if may_be_none and isinstance(value, str) and value.lower() == "none" else value


class Strategy(Protocol):
    """One vectorised function, the same in a backtest, on paper and live.

    It is causal: the row of a candle depends on that candle and the ones before it, never on later ones. A
    class of this kind may have an attribute `Parameters`, a subclass of `strategy.Parameters`, and is
    made with one.

    It may also say how its indicators are drawn in a report: `levels: Mapping[str, Sequence[float]]`, the lines that
    belong to an indicator, as {"rsi": (30, 70)}; and `on_price: frozenset[str]`, the names of indicators that are
    prices, as a moving average is, and are drawn over the price. Without, each has a chart of its own.
    """

    @property
    def warmup(self) -> int:
        """How many candles, the evaluated one included, are needed before a signal counts."""

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        """One row for each candle: `signal` (buy, sell, hold), `reason`, and a column per indicator.

        Args:
            candles: indexed by open time in milliseconds UTC, oldest first and none missing, with the
                columns open, high, low, close, volume. The first `warmup - 1` rows are to be "hold".
        """
