"""Strategies: candles in, signals out; and how one is found by its name."""
