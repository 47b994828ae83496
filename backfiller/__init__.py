"""The backfiller: fills the shared database with candles and tickers of many exchanges."""
