"""The backfiller as a process: whom it serves, what delays it, and what it says of a mistake."""

from __future__ import annotations

import signal
import subprocess
from decimal import Decimal

import pytest

from common.exchange_status import Exchanges
from common.partition import Partition
from common.registry import Registration, Registry
from common.timeframe import Timeframe
from tests.backfiller.surroundings import rows, stored, until

NOTHING = "history: 2d"
BOTH = """
history: 2d
request_timeout_s: 1
partitions:
  - {exchange: binance, symbol: BTC/USDT, timeframe: 1h}
  - {exchange: coinbase, symbol: BTC/USD, timeframe: 1h}
"""
TWO_DAYS = 47


def register(database, strategy_id, exchange="binance", symbol="BTC/USDT", warmup=300):
    partition = Partition(exchange, symbol, Timeframe.H1)
    registration = Registration(
        strategy_id, partition, "rsi", None, "paper", {}, warmup, Decimal(1000)
    )
    Registry(database).register(registration)


def events(database):
    return rows(database, "SELECT kind, message FROM events ORDER BY event_id")


def test_a_new_strategy_is_served_at_once_and_more_of_them_cost_no_more_calls(
    practice, daemons, database
):
    daemons.start(practice, NOTHING)
    until(lambda: rows(database, "SELECT 1 FROM heartbeats"), "a running backfiller")
    register(database, "lost", exchange="nosuch")
    register(database, "odd", symbol="NO/SUCH")

    register(database, "first")
    until(
        lambda: len(stored(database, "binance", "BTC/USDT", "1h")) >= 300,
        "the warm-up of a new strategy",
        deadline_s=15,
    )
    until(lambda: rows(database, "SELECT 1 FROM ticker_data"), "a ticker")

    before = practice.calls("binance", "klines")
    for number in range(20):
        register(database, f"other-{number}")
    register(database, "last", symbol="ETH/USDT")
    until(lambda: stored(database, "binance", "ETH/USDT", "1h"), "the partition of the last")
    assert practice.calls("binance", "klines") - before == 1
    told = sorted(events(database))
    assert [kind for kind, _ in told] == ["partition_refused", "registration_refused"]
    assert "expected a spot market of binance, found 'NO/SUCH'" in told[0][1]
    assert "expected an exchange that ccxt knows, found 'nosuch'" in told[1][1]


def test_an_exchange_that_hangs_delays_no_other_and_is_served_when_it_is_back(
    practice, daemons, database
):
    practice.fail(exchange="binance", kind="hang", count=None)
    daemons.start(practice, BOTH)

    until(
        lambda: len(stored(database, "coinbase", "BTC/USD", "1h")) == TWO_DAYS,
        "coinbase to be complete",
    )
    until(
        lambda: rows(database, "SELECT 1 FROM exchange_status WHERE state = 'backing_off'"),
        "binance to be left alone for a while",
    )
    until(
        lambda: rows(
            database,
            "SELECT 1 FROM heartbeats WHERE state = 'backing_off' AND detail LIKE 'binance until %'",
        ),
        "a heartbeat that says so",
    )
    assert stored(database, "binance", "BTC/USDT", "1h") == []

    practice.heal()
    until(
        lambda: len(stored(database, "binance", "BTC/USDT", "1h")) == TWO_DAYS,
        "binance to be complete",
    )
    until(
        lambda: (
            rows(database, "SELECT state, last_error FROM exchange_status") == [("ok", None)] * 2
        ),
        "both to be well",
    )


def test_faults_of_all_sorts_are_survived(practice, daemons, database):
    for fault in (
        {"kind": "html"},
        {"kind": "cut"},
        {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    ):
        practice.fail(exchange="coinbase", endpoint="candles", **fault)
    config = "partitions: [{exchange: coinbase, symbol: BTC/USD, timeframe: 1h, history: 30d}]"
    daemons.start(practice, config)

    until(lambda: len(stored(database, "coinbase", "BTC/USD", "1h")) == 719, "all candles")

    found = stored(database, "coinbase", "BTC/USD", "1h")
    assert found == practice.truth("coinbase", "BTC/USD", "1h", found[0][0])


def test_a_candle_that_cannot_be_is_an_event_and_asked_for_again(practice, daemons, database):
    config = "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1h, history: 5h}]"
    now = practice.now()
    opens = [now // 3_600_000 * 3_600_000 - hours * 3_600_000 for hours in (4, 3, 2, 1)]
    body = [[time, "10", "12", "9", "11", "5", time + 3_599_999] for time in opens]
    body[1][2] = "8"
    practice.fail(exchange="binance", endpoint="klines", kind="body", body=body)

    status, said = daemons.run(practice, config, "--once")

    assert status == 0, said
    found = [row[0] for row in stored(database, "binance", "BTC/USDT", "1h")]
    assert found == [opens[0], opens[2], opens[3]]
    (kind, message), *rest = events(database)
    assert kind == "candle_rejected"
    assert "expected low <= open and close <= high" in message
    assert rest == []
    assert rows(database, "SELECT start, state, asked FROM gaps") == [(opens[1], "found", 1)]


def test_once_says_what_could_not_be_had(practice, daemons):
    practice.fail(exchange="binance", kind="status", status=418, count=None, headers={})
    config = "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1h}]"
    daemon = daemons.start(practice, config, "--once")
    assert daemon.stderr is not None
    until(lambda: "banned" in daemon.stderr.readline(), "a ban")

    daemon.send_signal(signal.SIGTERM)

    assert daemon.wait(2) == 1


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            BOTH.replace("BTC/USDT", "BTC/USDD"),
            "partitions.0.symbol: expected a spot market of binance, found 'BTC/USDD'; did you mean 'BTC/USDT'?",
        ),
        ("histroy: 3d", "histroy: unknown key; did you mean 'history'?"),
    ],
)
def test_a_mistake_in_the_configuration_is_one_line_and_status_2(practice, daemons, config, line):
    status, said = daemons.run(practice, config)

    assert status == 2
    mistakes = [one for one in said.splitlines() if one.startswith("backfiller: ")]
    assert len(mistakes) == 1
    assert line in mistakes[0]
    assert "Traceback" not in said


def test_a_clock_speed_that_is_not_the_exchange_s_is_refused(fast_practice, daemons, database):
    status, said = daemons.run(fast_practice, BOTH, CLOCK_SPEED="1")

    assert status == 2
    assert "CLOCK_SPEED: expected about " in said
    assert "as fast as the exchange's clock runs, found 1" in said
    assert rows(database, "SELECT count(*) FROM ohlcv_data") == [(0,)]


def test_a_late_answer_of_the_clock_is_not_taken_for_another_speed(
    fast_practice, daemons, database
):
    fast_practice.fail(exchange="binance", endpoint="time", kind="drip", count=1)  # for 14 s
    patient = BOTH.replace("request_timeout_s: 1", "request_timeout_s: 60")
    daemon = daemons.start(fast_practice, patient, CLOCK_SPEED="600")

    until(
        lambda: daemon.poll() is not None or stored(database, "binance", "BTC/USDT", "1h"),
        "candles of binance",
        deadline_s=60,
    )
    assert daemon.poll() is None
    assert events(database) == []


def test_no_database_and_another_api_are_refused(practice, daemons, database, tmp_path):
    status, said = daemons.run(practice, BOTH, DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    assert (status, said.count("\n")) == (2, 1)
    assert "expected a database made by `python schema.py`" in said

    Exchanges(database).require_source("binance", None)
    status, said = daemons.run(practice, BOTH)
    assert status == 2
    assert "BINANCE_API_URL: expected none" in said


def test_a_second_one_is_refused(practice, daemons, database):
    first = daemons.start(practice, NOTHING)
    until(lambda: rows(database, "SELECT 1 FROM heartbeats"), "a running backfiller")

    status, said = daemons.run(practice, NOTHING)

    assert status == 2
    assert f"running as process {first.pid}" in said


def test_its_heartbeat_file_is_touched_while_its_loop_goes_round_and_not_when_it_is_stopped(
    practice, daemons, tmp_path
):
    file = tmp_path / "heartbeat"
    daemon = daemons.start(practice, NOTHING, HEARTBEAT_FILE=str(file))
    until(file.exists, "a first beat")
    first = file.stat().st_mtime_ns
    until(lambda: file.stat().st_mtime_ns > first, "another beat", deadline_s=5)

    daemon.send_signal(signal.SIGSTOP)
    stopped = file.stat().st_mtime_ns
    with pytest.raises(subprocess.TimeoutExpired):
        daemon.wait(1.5)
    assert file.stat().st_mtime_ns == stopped
    daemon.send_signal(signal.SIGCONT)
    until(lambda: file.stat().st_mtime_ns > stopped, "a beat after it goes on", deadline_s=5)
