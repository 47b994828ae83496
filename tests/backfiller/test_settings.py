from __future__ import annotations

from pathlib import Path

import pytest

from backfiller.needs import Need, combined, configured
from backfiller.planner import Span
from backfiller.settings import load_settings
from common.errors import ConfigurationError
from common.partition import Partition
from common.timeframe import Timeframe

BTC = Partition("binance", "BTC/USDT", Timeframe.H1)
HOUR, DAY = 3_600_000, 86_400_000
FILE = Path("backfiller.yml")


def read(tmp_path, text, **environment):
    file = tmp_path / "backfiller.yml"
    file.write_text(text, encoding="utf-8")
    return load_settings({"BACKFILLER_CONFIG": str(file), **environment})


def test_the_configuration_that_ships_serves_the_default_traders():
    settings = load_settings({})

    assert [str(wanted.partition) for wanted in settings.partitions] == [
        "binance BTC/USDT 1h",
        "binance ETH/USDT 15m",
        "coinbase BTC/USD 1h",
    ]
    assert settings.history == 90 * DAY


def test_the_environment_is_over_the_file(tmp_path):
    settings = read(tmp_path, "ticker_interval_s: 30", TICKER_INTERVAL_S="5", CLOCK_SPEED="60")

    assert settings.ticker_interval_s == 5
    assert settings.clock_speed == 60


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("histroy: 90d", "histroy: unknown key; did you mean 'history'?"),
        (
            "history: 90 days",
            "history: expected a duration such as 36h, 90d or 12w, found '90 days'",
        ),
        (
            "ticker_interval_s: 0",
            "ticker_interval_s: expected greater than or equal to 0.1, found 0",
        ),
        (
            "partitions: [{exchange: binanc, symbol: BTC/USDT, timeframe: 1h}]",
            "partitions.0.exchange: expected an exchange id that ccxt knows, such as binance, found 'binanc'",
        ),
        (
            "partitions: [{exchange: binance, symbol: btcusdt, timeframe: 1h}]",
            "partitions.0.symbol: expected BASE/QUOTE such as BTC/USDT, found 'btcusdt'",
        ),
        (
            "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 2h}]",
            "partitions.0.timeframe: expected '1m', '5m', '15m', '1h', '4h' or '1d', found '2h'",
        ),
        (
            "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1h, since: soon}]",
            "partitions.0.since: expected a date such as 2025-01-01, found 'soon'",
        ),
        (
            "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1h, history: 1d, since: 2025-01-01}]",
            "partitions.0: expected history or since, not both",
        ),
        (
            "partitions:\n"
            "  - {exchange: binance, symbol: BTC/USDT, timeframe: 1h}\n"
            "  - {exchange: binance, symbol: BTC/USDT, timeframe: 1h, history: 1d}\n",
            "partitions.1: expected each partition once, found binance BTC/USDT 1h again",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(tmp_path, text, line):
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_partition_s_own_beginning_is_over_the_default(tmp_path):
    settings = read(
        tmp_path,
        "history: 2d\n"
        "partitions:\n"
        "  - {exchange: binance, symbol: BTC/USDT, timeframe: 1h}\n"
        "  - {exchange: binance, symbol: ETH/USDT, timeframe: 1h, history: 1w}\n"
        "  - {exchange: binance, symbol: SOL/USDT, timeframe: 1h, since: 2025-01-01}\n",
    )
    now = 1_748_736_000_000 + 5  # 2025-06-01

    wanted = [need.wanted(now) for need in configured(settings, FILE).values()]

    assert [now // HOUR * HOUR - span.first for span in wanted[:2] if span] == [
        2 * DAY - HOUR,
        7 * DAY - HOUR,
    ]
    assert wanted[2] == Span(1_735_689_600_000, now // HOUR * HOUR - HOUR)


def test_a_strategy_that_needs_more_than_the_default_history_gets_it_with_slack():
    need = combined({}, {BTC: 1000}, DAY)[BTC]

    span = need.wanted(486_000 * HOUR)

    assert span is not None
    assert span.count(HOUR) > 1000


def test_a_configured_partition_that_strategies_read_is_one_need():
    needs = combined({BTC: Need(BTC, 90 * DAY, key="x")}, {BTC: 10}, DAY)

    assert needs == {BTC: Need(BTC, 90 * DAY, warmup=10, key="x")}


def test_a_history_that_begins_in_the_future_is_not_wanted_yet():
    assert Need(BTC, DAY, since=10 * HOUR).wanted(5 * HOUR) is None
