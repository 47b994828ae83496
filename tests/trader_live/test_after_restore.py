"""A live trader whose database was restored to before a trade: it halts, and sends nothing twice, also when resumed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from candlewell.backup.making import make_backup
from candlewell.backup.restoring import restore
from common.controls import Control, Controls, ControlState
from common.database import path_of
from tests.trader.running import rows
from tests.trader_live.comparing import dust, own_ids, require_equal
from tests.trader_live.deadly import Killed
from tests.trader_live.stage import BUY, HOLD, ID, RULES, SELL, Stage
from tests.trader_live.test_orders import bought

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from candlewell.backup.catalogue import Backup

DAY_MS = 86_400_000


@pytest.fixture
def again(tmp_path: Path) -> Iterator[Callable[[Stage, Backup], Stage]]:
    """Restores a backup in the place of a stage's database: the same account, with the books of that moment."""
    stages: list[Stage] = []

    def make(stage: Stage, backup: Backup) -> Stage:
        stage.database.close()
        done = restore(backup, path_of(stage.url))
        assert done.halted == [ID]
        stages.append(Stage(stage.practice, stage.exchange, stage.url, stage.credentials))
        stages[-1].rules = stage.rules
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


def test_one_that_is_resumed_while_it_runs_is_compared_first_and_halted_again(
    staged, again, tmp_path
):
    stage = staged()
    engine = bought(stage)
    backup = backup_of(stage, tmp_path)
    stage.say(SELL)
    stage.run(engine)
    sent, held = own_ids(stage), stage.held()
    restored = again(stage, backup)
    engine = restored.start()
    restored.run(engine)
    for _ in range(2):  # the second time as the first
        Controls(restored.database).set(ID, Control())
        restored.say(SELL)
        restored.run(engine)
        assert control(restored).reason.startswith("not reconciled: expected ")
    assert sorted(own_ids(restored)) == sorted(sent)
    assert restored.held() == held


def test_one_that_is_resumed_in_the_middle_of_the_comparison_is_compared_again_and_sells_nothing(
    staged, again, tmp_path
):
    stage = staged(rules=replace(RULES, stop_loss=Decimal("0.05")))
    engine = bought(stage)
    backup = backup_of(stage, tmp_path)
    stage.say(SELL)
    stage.run(engine)
    sent = own_ids(stage)
    restored = again(stage, backup)
    restored.tick(restored.price() * 0.9)  # its stop would sell at once
    restored.wrap_account = lambda account: Resumed(account, restored)
    engine = restored.start()
    restored.run(engine)
    restored.run(engine)
    assert control(restored).reason.startswith("not reconciled: expected ")
    assert sorted(own_ids(restored)) == sorted(sent)
    assert rows(restored.database, "SELECT side FROM orders") == [("buy",)]


class Resumed:
    """An account whose strategy somebody resumes while its balance is asked for, the third time."""

    def __init__(self, account: Any, stage: Stage) -> None:
        self._account = account
        self._stage = stage
        self._asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)

    def held(self, currency: str) -> Any:
        self._asked += 1
        if self._asked == 3:
            Controls(self._stage.database).set(ID, Control())
        return self._account.held(currency)


def resumed_in_the_candle_of_its_purchase(
    stage: Stage, again: Callable[[Stage, Backup], Stage], tmp_path: Path
) -> Stage:
    """One that has bought since the backup, and may decide on that again; not started yet."""
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    backup = backup_of(stage, tmp_path)
    bought_at = stage.next
    stage.say(BUY)
    stage.run(engine)
    assert len(own_ids(stage)) == 1
    restored = again(stage, backup)
    Controls(restored.database).set(ID, Control())
    restored.next = bought_at
    restored.say(BUY)
    return restored


def test_one_that_is_resumed_in_the_candle_of_its_purchase_finds_it_and_does_not_buy_again(
    staged, again, tmp_path
):
    stage = staged()
    before = stage.held()
    restored = resumed_in_the_candle_of_its_purchase(stage, again, tmp_path)
    engine = restored.start()
    restored.run(engine)
    require_equal(restored, before)
    assert len(own_ids(restored)) == 1
    restored.say(SELL)
    restored.run(engine)
    require_equal(restored, before)
    assert restored.ledger.books().position is None


def test_one_that_is_killed_before_it_keeps_what_it_found_looks_as_far_back_again(
    staged, again, tmp_path
):
    stage = staged()
    before = stage.held()
    restored = resumed_in_the_candle_of_its_purchase(stage, again, tmp_path)
    looks: list[int] = []
    restored.wrap_account = lambda account: Looks(account, looks)
    engine = restored.start()
    with pytest.raises(Killed):
        restored.run(engine)
    restored.run(restored.start())
    require_equal(restored, before)
    assert len(own_ids(restored)) == 1
    assert len(looks) == 2
    assert max(looks) < restored.practice.now_ms() - 29 * DAY_MS


class Looks:
    """An account whose order is too old to be found where it is not looked for as a lost one.

    It tells how far back each of those looks goes, in milliseconds UTC. The first one ends the process.
    """

    def __init__(self, account: Any, looks: list[int]) -> None:
        self._account = account
        self._looks = looks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)

    def find(self, order: Any) -> None:
        """There is none that was placed so lately."""

    def lost(self, order: Any, since: int) -> Any:
        self._looks.append(since)
        found = self._account.lost(order, since)
        if len(self._looks) == 1:
            raise Killed("after lost")
        return found


def test_one_whose_stop_was_reached_since_finds_that_sale_and_sells_nobody_elses_coins(
    staged, again, tmp_path
):
    stage = staged(rules=replace(RULES, stop_loss=Decimal("0.05")))
    before = stage.held()
    engine = bought(stage)
    backup = backup_of(stage, tmp_path)
    stage.tick(stage.price() * 0.9)
    stage.run(engine)
    assert stage.ledger.books().position is None
    sent = own_ids(stage)
    elsewhere = stage.held()
    stage.buy_by_hand(Decimal(3000))  # which hides from a comparison what is missing
    by_hand = [one - other for one, other in zip(stage.held(), elsewhere, strict=True)]
    count = len(own_ids(stage))
    restored = again(stage, backup)
    Controls(restored.database).set(ID, Control())
    restored.tick(restored.price() * 0.9)
    restored.run(restored.start())
    assert restored.ledger.books().position is None
    assert len(own_ids(restored)) == count
    assert rows(restored.database, "SELECT purpose, status FROM orders WHERE side = 'sell'") == [
        ("stop-loss", "filled")
    ]
    base, quote = (one - other for one, other in zip(restored.held(), before, strict=True))
    assert base - by_hand[0] == dust(restored)
    assert quote - by_hand[1] == restored.ledger.books().cash - Decimal(10_000)
    assert set(sent) <= set(own_ids(restored))


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
