"""Checks of the fleet: daemons that are silent or stuck, halted strategies, holes in the candles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlewell.doctor.finding import Seen, note, ok, problem, warning
from candlewell.status import SILENT_AFTER_S
from candlewell.switches import switches
from common.controls import ControlState
from common.heartbeat import BACKFILLER, DEGRADED, STOPPED, UNHEALTHY, last_beats
from common.overview import partitions
from common.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlewell.doctor.setup import Setup

_LOOK = "docker-compose ps; docker-compose logs"


def daemons(setup: Setup) -> Iterator[Seen]:
    """Whether each registered strategy and the backfiller are heard of, and do what they are for."""
    beats = {beat.daemon: beat for beat in last_beats(setup.database)}
    enrolled = Registry(setup.database).enrolled()
    active = [own.strategy_id for own in enrolled if own.status != STOPPED]
    wrong = 0
    for name in sorted({*beats, *active, *([BACKFILLER] if active else [])}):
        beat = beats.get(name)
        seen = None
        if beat is None or (beat.state == STOPPED and name == BACKFILLER and active):
            found = "none" if beat is None else "it has stopped, while traders run"
            seen = problem(f"a heartbeat of {name}", found, f"{_LOOK} {name}")
        elif beat.state != STOPPED and beat.age_s(setup.now) > SILENT_AFTER_S:
            seen = problem(
                f"a heartbeat of {name} within {SILENT_AFTER_S:.0f} s",
                f"the last one {beat.age_s(setup.now):.0f} s ago: {beat.state}",
                f"{_LOOK} {name}",
            )
        elif beat.state in UNHEALTHY:
            seen = problem(f"{name} well", f"{beat.state}: {beat.detail}", f"{_LOOK} {name}")
        elif beat.state in DEGRADED:
            seen = warning(
                f"{name} well",
                f"{beat.state}: {beat.detail}",
                "wait for the exchange; candlewell status shows it",
            )
        if seen is not None:
            wrong += 1
            yield seen
    running = [beat for beat in beats.values() if beat.state != STOPPED]
    if not wrong:
        yield ok(f"{len(running)} daemons heard of") if running else note("no daemon is running")


def halts(setup: Setup) -> Iterator[Seen]:
    """Whether somebody, or a strategy itself, has switched trading off."""
    enrolled = Registry(setup.database).enrolled()
    found = switches(setup.database, {own.strategy_id: own.exchange for own in enrolled}, setup.now)
    held = 0
    for strategy_id, control in found.items():
        if control.state is not ControlState.RUNNING:
            held += 1
            state = control.state.value.replace("_", "-")
            yield warning(
                f"{strategy_id} free to trade",
                f"{state}: {control.reason}",
                f"once the reason is understood: candlewell resume {strategy_id} --reason TEXT",
            )
    if not held:
        yield ok("no strategy is halted")


def gaps(setup: Setup) -> Iterator[Seen]:
    """Whether candles are missing that nobody has explained."""
    found = [one for one in partitions(setup.database) if one.unexplained]
    for one in found:
        yield warning(
            f"all candles of {' '.join(one.key)}, or why not",
            f"{one.unexplained} missing without a reason, {one.open_gaps} gaps still asked for",
            "wait while the backfiller asks for them; candlewell gaps shows each",
        )
    if not found:
        yield ok("no candle is missing without a reason")
