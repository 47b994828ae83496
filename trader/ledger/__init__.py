"""One strategy's ledger: the SQL of `signals`, `orders`, `trades`, `positions` and `equity`."""

from trader.ledger.ledger import Ledger

__all__ = ["Ledger"]
