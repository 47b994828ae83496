"""freqtrade: buys where the RSI comes back up through 30, sells where it comes back down through 70."""

from typing import ClassVar

import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class RsiCrossing(IStrategy):
    """At most one position; the stop-loss is in the configuration."""

    INTERFACE_VERSION = 3
    minimal_roi: ClassVar[dict[str, float]] = {}
    startup_candle_count = 281  # the suite's own warm-up is one more: the first that may signal

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Computes the RSI of all candles."""
        dataframe["rsi"] = ta.RSI(dataframe, timeperiod=14)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Says where to buy."""
        crossed = (dataframe["rsi"].shift() < 30) & (dataframe["rsi"] >= 30)
        dataframe.loc[crossed, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Says where to sell."""
        crossed = (dataframe["rsi"].shift() > 70) & (dataframe["rsi"] <= 70)
        dataframe.loc[crossed, "exit_long"] = 1
        return dataframe
