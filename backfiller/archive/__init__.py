"""Old candles out of the database and into the archive: the command `archive`, and the daemon's upkeep."""
