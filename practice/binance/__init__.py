"""Binance's spot API, version 3."""
