"""What every program is asked to do, and what it may be asked afterwards.

RSI 14 in crossing mode with a 10 % stop, a fee of 0.001, 1,000 of 10,000 for each entry. Candlewell counts the fee into
the stake and into the average entry that the stop goes by; the peers do not. `STAKE` and `STOP_LOSS` are what
gives them the same amounts and the same stop prices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks.made_up import Columns
    from benchmarks.peers.environment import Environment

FEE_RATE = 0.001
STAKE_WITH_FEE, STOP_LOSS_WITH_FEE = 1000, 0.1
STAKE = STAKE_WITH_FEE / (1 + FEE_RATE)
STOP_LOSS = 1 - (1 - STOP_LOSS_WITH_FEE) * (1 + FEE_RATE)
STARTING_BALANCE = 10_000


@dataclass(frozen=True, slots=True)
class Task:
    """Candles, and a folder of a program's own for what it reads and writes."""

    candles: Columns
    folder: Path
    exchange_url: str


class Trip(NamedTuple):
    """The open times of the candles in which a position was entered and left; None: it stayed open."""

    entry: int
    exit: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `again_s` is the time of a second simulation in one process, where that is told."""

    net_profit: float
    trips: tuple[Trip, ...]
    again_s: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A backtest: `command` prints its result; with `telling` after it, `outcome` can read what it printed or wrote."""

    command: tuple[str, ...]
    telling: tuple[str, ...]
    outcome: Callable[[str], Outcome]
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peer:
    """A program to compare: where its packages are pinned, and how it is set up for a task."""

    name: str
    requirements: Path
    prepare: Callable[[Environment, Task], Run]
