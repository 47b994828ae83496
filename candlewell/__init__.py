"""The one command for people: `candlewell status`, `halt`, `backtest`, `audit` and the rest, over what the daemons are made of."""
