"""What one pass of the engine goes by: the exchange's clock, the market's rules, and the switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.controls import ControlState
from trader.core.rules import Conditions

if TYPE_CHECKING:
    from common.clock import MarketClock
    from common.controls import Control
    from trader.core.rules import MarketRules


@dataclass(frozen=True, slots=True)
class Moment:
    """See the module."""

    clock: MarketClock
    market: MarketRules
    control: Control

    @property
    def no_orders(self) -> str | None:
        """Why there may be no orders now."""
        return self._because() if self.control.state is ControlState.HALTED else None

    @property
    def no_entries(self) -> str | None:
        """Why there may be no entries now."""
        return self._because() if self.control.state is ControlState.REDUCE_ONLY else None

    def conditions(self, closed: int = 0, *, newest: bool = True) -> Conditions:
        """The conditions of a decision about a candle that closed at `closed`, or about a ticker."""
        return Conditions(
            now=max(self.clock.now(), closed),
            age_s=max(0.0, self.clock.age_s(closed)),
            newest=newest,
            no_orders=self.no_orders,
            no_entries=self.no_entries,
        )

    def _because(self) -> str:
        return f"{self.control.state.value.replace('_', '-')} ({self.control.reason})"
