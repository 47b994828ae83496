"""Coinbase's Advanced Trade API, version 3."""
