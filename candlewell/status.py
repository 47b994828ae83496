"""How the fleet is doing, in one look at the database, and what of it wants a person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from candlewell.backup.standing import Standing, standing_of
from candlewell.listing import Time
from candlewell.switches import switches
from common.clock import wall_now
from common.controls import ControlState
from common.heartbeat import BACKFILLER, ROW_EVERY_S, STOPPED, WELL, last_beats
from common.overview import exchanges, partitions, strategies

if TYPE_CHECKING:
    from common.controls import Control
    from common.database import Database
    from common.heartbeat import Beat
    from common.overview import ExchangeOverview, PartitionOverview, StrategyOverview

SILENT_AFTER_S = 6 * ROW_EVERY_S  # a daemon says something every ten seconds, whatever it does


@dataclass(frozen=True, slots=True)
class Status:
    """What is there at `now`, this machine's time, in milliseconds UTC."""

    now: int
    daemons: list[Beat]
    exchanges: list[ExchangeOverview]
    partitions: list[PartitionOverview]
    strategies: list[StrategyOverview]
    controls: dict[str, Control]
    backups: Standing

    @property
    def attention(self) -> list[str]:
        """A line for each thing that a person should look at; empty when all is well."""
        return [
            *self._silent(),
            *self._troubled(),
            *self._held_back(),
            *self.backups.attention(self.now),
        ]

    def as_document(self) -> dict[str, Any]:
        """All of it, for a program."""
        return {
            "at": Time(self.now),
            "attention": self.attention,
            "daemons": [_timed(asdict(beat)) for beat in self.daemons],
            "backup": {
                "made_at": _time(self.backups.made_at),
                "tried_at": _time(self.backups.tried_at),
            },
            "exchanges": [asdict(exchange) for exchange in self.exchanges],
            "partitions": [asdict(partition) for partition in self.partitions],
            "strategies": [asdict(own) | self._control(own.strategy_id) for own in self.strategies],
        }

    def _control(self, strategy_id: str) -> dict[str, str]:
        control = self.controls[strategy_id]
        return {"control": control.state.value, "control_reason": control.reason}

    def _silent(self) -> list[str]:
        lines = [
            f"{beat.daemon}: nothing heard for {beat.age_s(self.now):.0f} s, it was {beat.state}"
            for beat in self.daemons
            if beat.state != STOPPED and beat.age_s(self.now) > SILENT_AFTER_S
        ]
        if self.strategies and not any(beat.daemon == BACKFILLER for beat in self.daemons):
            lines.append(f"{BACKFILLER}: never started with this database")
        return lines

    def _troubled(self) -> list[str]:
        daemons = [
            f"{beat.daemon}: {_words(beat.state)}: {beat.detail}"
            for beat in self.daemons
            if beat.state not in WELL and beat.daemon != BACKFILLER
        ]
        troubled = [
            f"{own.exchange}: {_words(own.state)} until {own.until[11:]} UTC: {own.error}"
            for own in self.exchanges
            if own.state != "ok"
        ]
        own = [
            f"{beat.daemon}: {_words(beat.state)}: {beat.detail}"
            for beat in self.daemons
            if beat.daemon == BACKFILLER and beat.state not in WELL and not troubled
        ]
        return [*own, *troubled, *daemons]

    def _held_back(self) -> list[str]:
        return [
            f"{strategy_id}: {_words(control.state.value)}: {control.reason}"
            for strategy_id, control in self.controls.items()
            if control.state is not ControlState.RUNNING
        ]


def status_of(database: Database) -> Status:
    """Looks. It counts the candles of each partition, so it takes longer the more there are."""
    found = strategies(database)
    now = wall_now()
    return Status(
        now=now,
        daemons=last_beats(database),
        exchanges=exchanges(database),
        partitions=partitions(database),
        strategies=found,
        controls=switches(database, {own.strategy_id: own.exchange for own in found}, now),
        backups=standing_of(database),
    )


def _time(timestamp: int | None) -> Time | None:
    return None if timestamp is None else Time(timestamp)


def _timed(beat: dict[str, Any]) -> dict[str, Any]:
    return beat | {key: Time(beat[key]) for key in ("started_at", "beat_at")}


def _words(state: str) -> str:
    return state.replace("_", "-" if state == "reduce_only" else " ")
