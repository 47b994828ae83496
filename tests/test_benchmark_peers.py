"""The side-by-side run with other programs: what needs none of them."""

from decimal import Decimal

import pytest

from benchmarks.peers.comparison import shared
from benchmarks.peers.environment import NotInstalled, environment
from benchmarks.peers.task import (
    FEE_RATE,
    STAKE,
    STAKE_WITH_FEE,
    STOP_LOSS,
    STOP_LOSS_WITH_FEE,
    Trip,
)
from trader.core.guard import limits
from trader.core.order import Side
from trader.core.position import Position
from trader.core.rules import Rules
from trader.core.trade import Trade


def test_a_round_trip_is_shared_by_its_entry_candle_and_told_apart_by_its_exit():
    ours = (Trip(10, 20), Trip(30, 40), Trip(50, None))
    theirs = (Trip(10, 20), Trip(30, 35), Trip(45, 48), Trip(50, None))
    found = shared(ours, theirs)
    assert (found.entries, found.exits, found.first_apart) == (3, 2, 45)


def test_programs_that_did_the_same_have_no_entry_apart():
    ours = (Trip(10, 20), Trip(30, None))
    assert shared(ours, ours).first_apart is None
    assert shared((), ()).entries == 0


def test_the_peers_stake_and_stop_without_fee_are_ours_with_it():
    price, rate = Decimal(100), Decimal(str(FEE_RATE))
    amount = Decimal(STAKE_WITH_FEE) / (price * (1 + rate))
    assert float(amount * price) == pytest.approx(STAKE)

    trade = Trade("1", "BTC/USDT", Side.BUY, Decimal(1), price, price * rate, 0)
    position = Position("BTC/USDT", opened_at=0).after(trade)
    rules = Rules(Decimal(100), rate, Decimal(str(STOP_LOSS_WITH_FEE)))
    stop = limits(position, rules, None).stop
    assert stop is not None
    assert float(stop) == pytest.approx(float(price) * (1 - STOP_LOSS))


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path):
    requirements = tmp_path / "peer.txt"
    requirements.touch()
    kept = tmp_path / "peer" / "kept"
    kept.parent.mkdir()
    kept.touch()
    with pytest.raises(NotInstalled, match="found something else"):
        environment(kept.parent, requirements)
    assert kept.exists()
