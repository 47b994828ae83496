from __future__ import annotations

from tests.trader.conftest import _log_of_its_own, market, started

__all__ = ["_log_of_its_own", "market", "started"]
