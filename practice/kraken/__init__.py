"""Kraken's REST API: its public part. Orders will stand beside it, as Binance's do."""
