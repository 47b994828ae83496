"""Kraken's REST API, version 0."""
