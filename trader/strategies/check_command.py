"""`python -m trader check-strategy`: shows on stored or given candles that a strategy is what it has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from common.times import utc
from trader.backtest.signals import frame_of
from trader.backtest.subject import subject_of
from trader.strategies.checking import check

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from trader.backtest.candles import Candles
    from trader.backtest.setup import Setup
    from trader.strategies.checking import Finding

PROPERTIES = ("answers", "input", "deterministic", "causal", "warm-up")


def check_strategy(given: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, bool]:
    """Checks the strategy that was asked for; a table of what was found, and whether all is well.

    Raises:
        ConfigurationError: the user has to change something.
    """
    subject = subject_of(given, environment)
    setup, candles = subject.setup, subject.candles
    warmup = setup.strategy.warmup
    runs = list(candles.runs())
    frames = [frame_of(candles, run) for run in runs if run.stop - run.start > warmup]
    if not frames:
        longest = max(run.stop - run.start for run in runs)
        raise ConfigurationError(
            f"candles: expected more than the {warmup:,} that {setup.strategy_name} needs to warm up, "
            f"none missing between them, found {longest:,}"
        )
    findings = list(check(setup.strategy, frames, setup.partition.timeframe))
    return _table(setup, candles, sum(map(len, frames)), findings), all(f.holds for f in findings)


def _table(setup: Setup, candles: Candles, checked: int, findings: list[Finding]) -> str:
    first, last = (utc(int(candles.timestamp[place])) for place in (0, -1))
    lines = [
        ("strategy", f"{setup.strategy_name}, {setup.strategy.warmup:,} candles to warm up"),
        ("candles", f"{len(candles):,} of {setup.partition} from {first} to {last} UTC"),
    ]
    if checked < len(candles):
        apart = len(candles) - checked
        lines.append(("", f"{apart:,} of them lie between holes, too few in a row to be evaluated"))
    lines += [(finding.name, _told(finding)) for finding in findings]
    lines += [(name, "not looked at, for what is above") for name in PROPERTIES[len(findings) :]]
    return "\n".join(f"{name:<15}{told}" for name, told in lines)


def _told(finding: Finding) -> str:
    if finding.holds:
        return f"ok: {finding.told}"
    when = (
        ""
        if finding.timestamp is None
        else f"at {utc(finding.timestamp)} UTC ({finding.timestamp}) "
    )
    return f"VIOLATED: {when}{finding.told}"
