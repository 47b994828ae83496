"""Conditions of a decision that no replay can know, and that the words of the decision name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from trader.audit.difference import Cause

if TYPE_CHECKING:
    from trader.core.rules import Conditions

_NO_TRADE = "no trade: "
_AGE = re.compile(r"candle closed (\d+) s ago, limit .*")
_ROUNDED_S = 0.499  # the age is told in whole seconds
_CAPPED = re.compile(
    r"no trade: all strategies hold \S+ of .*, with this stake of \S+ more than .*"
)


def named(decision: str, ideal: Conditions) -> tuple[Cause, Conditions] | None:
    """The condition that a decision's words name, with the conditions that it makes; None if they name none."""
    if not decision.startswith(_NO_TRADE):
        return None
    why = decision.removeprefix(_NO_TRADE)
    if why.startswith("halted ("):
        return Cause.HALTED, replace(ideal, no_orders=why)
    if why.startswith("reduce-only ("):
        return Cause.REDUCED, replace(ideal, no_entries=why)
    if why == "a newer candle has closed":
        return Cause.AWAY, replace(ideal, newest=False)
    if match := _AGE.fullmatch(why):
        return Cause.STALE, replace(ideal, age_s=int(match[1]) + _ROUNDED_S)
    return None


def is_capped(decision: str) -> bool:
    """Whether an order was not taken since all strategies together held too much."""
    return _CAPPED.fullmatch(decision) is not None
