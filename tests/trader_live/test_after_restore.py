"""A live trader whose database was restored to before a trade: it halts, sends nothing twice, and sells nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from candlewell.backup.making import make_backup
from candlewell.backup.restoring import restore
from common.controls import Control, Controls, ControlState
from common.database import path_of
from tests.trader_live.comparing import own_ids
from tests.trader_live.stage import BUY, HOLD, ID, SELL, Stage
from tests.trader_live.test_orders import bought

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from candlewell.backup.catalogue import Backup


@pytest.fixture
def again(tmp_path: Path) -> Iterator[Callable[[Stage, Backup], Stage]]:
    """Restores a backup in the place of a stage's database: the same account, with the books of that moment."""
    stages: list[Stage] = []

    def make(stage: Stage, backup: Backup) -> Stage:
        stage.database.close()
        done = restore(backup, path_of(stage.url))
        assert done.halted == [ID]
        stages.append(Stage(stage.practice, stage.exchange, stage.url, stage.credentials))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


def backup_of(stage: Stage, tmp_path: Path) -> Backup:
    return make_backup(path_of(stage.url), tmp_path / "backups").backup


def control(stage: Stage) -> Control:
    return Controls(stage.database).of(ID, 0)


def require_halted(stage: Stage, sent: list[str], held: object) -> None:
    """It runs on, decides nothing that is carried out, and the account is as it was."""
    engine = stage.start()
    for said in (BUY, SELL, HOLD):
        stage.say(said)
        stage.run(engine)
    assert control(stage).state is ControlState.HALTED
    assert sorted(own_ids(stage)) == sorted(sent)
    assert stage.held() == held


def test_one_that_has_sold_since_is_halted_and_sells_nothing(staged, again, tmp_path):
    stage = staged()
    engine = bought(stage)
    backup = backup_of(stage, tmp_path)
    stage.say(SELL)
    stage.run(engine)
    sent, held = own_ids(stage), stage.held()
    restored = again(stage, backup)
    position = restored.ledger.books().position
    assert position is not None, "its books are those of before the sale"
    require_halted(restored, sent, held)
    assert "was restored" in control(restored).reason

    # Somebody resumes it without a look: then the comparison with the exchange halts it.
    Controls(restored.database).set(ID, Control())
    require_halted(restored, sent, held)
    reason = control(restored).reason
    assert reason.startswith(f"not reconciled: expected {position.amount:f} BTC"), reason


def test_one_that_has_bought_since_is_halted_and_buys_and_sells_nothing(staged, again, tmp_path):
    stage = staged()
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    backup = backup_of(stage, tmp_path)
    stage.say(BUY)
    stage.run(engine)
    sent, held = own_ids(stage), stage.held()
    assert len(sent) == 1
    restored = again(stage, backup)
    require_halted(restored, sent, held)
    assert restored.ledger.books().position is None
    assert "was restored" in control(restored).reason
