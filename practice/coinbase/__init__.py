"""Coinbase's Advanced Trade API: its public part. Orders will stand beside it, as Binance's do."""
