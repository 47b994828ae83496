"""The live broker: orders at an exchange, through ccxt. The only part of a trader that loads it."""
