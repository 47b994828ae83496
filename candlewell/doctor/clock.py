"""Check of the clocks: this machine's beside the exchanges', and beside what was written before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlewell.doctor.finding import Seen, note, ok, problem, warning
from common.events import Wanted, newest
from common.exchange_status import Exchanges
from common.heartbeat import last_beats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlewell.doctor.setup import Setup

_OFF_MS, _FAR_OFF_MS = 2_000, 30_000
_AHEAD_MS = 5_000
_ADVICE = "let the machine's clock be set by NTP: timedatectl set-ntp true"


def clock(setup: Setup) -> Iterator[Seen]:
    """Whether this machine's time is that of the exchanges, and does not go backwards."""
    heard = Exchanges(setup.database).offsets()
    written_at = max(
        [beat.beat_at for beat in last_beats(setup.database)]
        + [row["timestamp"] for row in newest(setup.database, Wanted(), 1)],
        default=0,
    )
    is_well = True
    if written_at > setup.now + _AHEAD_MS:
        is_well = False
        yield problem(
            "no row from the future",
            f"one that was written {(written_at - setup.now) / 1000:.0f} s from now: the clock was set back",
            _ADVICE,
        )
    real = [(exchange, offset) for exchange, offset, is_real in heard if is_real]
    for exchange, offset in real:
        if abs(offset) > _OFF_MS:
            is_well = False
            tell = problem if abs(offset) > _FAR_OFF_MS else warning
            yield tell(
                f"this machine's clock within {_OFF_MS / 1000:.0f} s of {exchange}'s",
                f"{abs(offset) / 1000:.1f} s {'behind' if offset > 0 else 'ahead of'} it",
                _ADVICE,
            )
    if is_well and real:
        yield ok(", ".join(f"{offset:+d} ms at {exchange}" for exchange, offset in real))
    elif is_well:
        what = "a practice exchange" if heard else "no exchange"
        yield note(f"{what} has told its time: there is nothing to compare with")
