"""The backtest: a trader's decisions over candles that are there already."""
