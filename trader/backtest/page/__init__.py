"""A backtest's result as one HTML file: it needs no network, no server and no other file."""
