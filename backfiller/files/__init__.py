"""Candles from files and to files: the commands `import` and `export`."""
