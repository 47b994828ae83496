"""A practice exchange: an HTTP server that real ccxt reads markets from and trades against."""
