"""How a trader decides, on values alone: no database, network, clock, log or chance in here."""
