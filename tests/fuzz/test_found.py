"""What the fuzzing has found, each fault by a name of its own; all are mended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import backfiller.settings
import schema
from backfiller.__main__ import main as backfiller_main
from backfiller.parsing import markets_of
from candlewell.__main__ import main as candlewell_main
from common.candle import BadMarketData, Candle
from common.errors import ConfigurationError, TransientError
from common.exchange import errors
from common.exchange_failures import Reply, classified
from common.settings import Settings, load
from tests.backfiller_files import samples
from tests.fuzz import damaged
from tests.fuzz.lawful import Ended, require_lawful, run
from trader.__main__ import main as trader_main

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
TRADER = (ROOT / "config/trader.yml").read_text(encoding="utf-8")


class _Anything(Settings):
    key: Any = None


def _refusal(tmp_path: Path, content: str | bytes) -> str:
    """What is said of a configuration file."""
    file = tmp_path / "some.yml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigurationError) as caught:
        load(_Anything, file=file, environment={}, variables={})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    return str(caught.value)


# --- configuration files ---


@pytest.mark.parametrize(
    "content",
    [
        "key: !!int",
        "key: !!int x",
        "key: !!float .",
        "key: !!bool maybe",
        "key: !!timestamp soon",
        "key: 2025-13-45",
        f"key: {'1' * 5000}",
        "? [a, list]\n: 1",
        "? {a: mapping}\n: 1",
    ],
    ids=lambda content: content[:24].replace("\n", " "),
)
def test_a_value_that_is_not_what_its_tag_or_form_says_is_no_traceback(tmp_path, content):
    assert "expected YAML, found" in _refusal(tmp_path, content)


def test_yaml_of_a_thousand_levels_is_no_traceback(tmp_path):
    assert "levels" in _refusal(tmp_path, "key: " + "[" * 1000 + "]" * 1000)


def test_aliases_that_stand_for_a_billion_values_are_not_spelt_out(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert "values" in _refusal(tmp_path, "\n".join(lines))


def test_an_alias_for_what_it_is_in_is_refused(tmp_path):
    assert "alias" in _refusal(tmp_path, "key: &a [*a]")


def test_what_was_found_is_told_in_short_and_on_one_line(tmp_path):
    assert len(_refusal(tmp_path, f"unknown{'x' * 5000}: 1")) < 500
    assert len(_refusal(tmp_path, yaml.safe_dump({"a\nb": 1}))) < 500
    assert len(_refusal(tmp_path, yaml.safe_dump(["x" * 10_000]))) < 500


@pytest.mark.parametrize(
    "line",
    [
        "ticker_interval_s: .inf",
        "clock_interval_s: 1e300",
        "upkeep: {watch_interval_s: .inf}",
        "history: 999999w",
        "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1h, since: 0001-01-01}]",
    ],
)
def test_an_interval_or_a_history_without_end_is_refused(tmp_path, line):
    file = tmp_path / "backfiller.yml"
    file.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="expected"):
        backfiller.settings.load_settings({"BACKFILLER_CONFIG": str(file)})


# --- arguments and variables ---


def _ended(program: Callable[[], int | None], environment: dict[str, str]) -> Ended:
    ended = run(program, environment)
    require_lawful(ended)
    assert ended.status == 2
    return ended


def test_a_reason_of_bytes_that_are_no_text_is_refused(database_url):
    environment = {"DATABASE_URL": database_url}
    words = ["control", "halted", "--fleet", "--reason", "\udcff"]
    assert "UTF-8" in _ended(lambda: trader_main(words, environment), environment).err


def test_a_file_name_of_bytes_that_are_no_text_is_refused(database_url):
    environment = {"DATABASE_URL": database_url}
    assert "UTF-8" in _ended(lambda: backfiller_main(["import", "\udcff.csv"]), environment).err


def test_a_log_level_or_a_damaged_zip_is_told_in_short(tmp_path, database_url):
    environment = {
        "DATABASE_URL": database_url,
        "LOG_LEVEL": "9" * 5000,
        "BACKFILLER_CONFIG": "x" * 900,
    }
    assert len(_ended(lambda: backfiller_main(["coverage"]), environment).err) < 500
    file = tmp_path / "BTCUSDT-1h-2024-01.zip"
    packed = bytearray(samples.write_binance(file, samples.candles(60)).read_bytes())
    packed[27] = 2  # the length of a name, which now holds what was packed
    file.write_bytes(packed)
    environment = {"DATABASE_URL": database_url, "LOG_LEVEL": "error"}
    assert len(_ended(lambda: backfiller_main(["import", str(file)]), environment).err) < 500


def test_more_rows_than_a_database_counts_are_refused(database_url):
    environment = {"DATABASE_URL": database_url}
    assert (
        "--limit"
        in _ended(lambda: candlewell_main(["signals", "--limit", "9" * 40]), environment).err
    )


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5000])
def test_a_name_that_no_file_can_have_is_refused(database_url, name):
    environment = {"DATABASE_URL": database_url}
    _ended(lambda: backfiller_main(["import", f"{name}.csv"]), environment)
    _ended(lambda: schema.main(["--database", f"sqlite:///{name}"]), environment)
    _ended(lambda: trader_main(["audit", "x"], environment), {"DATABASE_URL": f"sqlite:///{name}"})


@pytest.mark.parametrize(
    "words",
    [["backup", "--keep", "9" * 5000], ["restore", "x" * 300], ["restore", "--folder", "x" * 300]],
)
def test_backup_and_restore_tell_an_impossible_argument_on_a_short_line(database_url, words):
    ended = run(lambda: candlewell_main(words), {"DATABASE_URL": database_url})
    require_lawful(ended)
    assert ended.status in {1, 2}
    assert len(ended.err) < 500


@pytest.mark.parametrize("moment", ["9" * 15, "9" * 40, "9" * 1000, "9999-12-31T23:59-14:00"])
def test_a_time_beyond_all_dates_is_refused_or_taken_for_the_last_one(database_url, moment):
    environment = {"DATABASE_URL": database_url, "CONFIG_FILE": str(ROOT / "config/trader.yml")}
    for option in ("--since", "--until"):
        words = ["backtest", option, moment]
        _ended(lambda words=words: trader_main(words, environment), environment)  # type: ignore[misc]


# --- files of candles ---


@pytest.mark.parametrize("name", ["a.feather", "a.parquet"])
def test_a_file_that_makes_its_reader_panic_is_refused(database_url, tmp_path, name):
    """Polars raises what no `except Exception` catches."""
    kind = "feather" if name.endswith("feather") else "parquet"
    valid = damaged.written(tmp_path, kind)
    environment = {"DATABASE_URL": database_url, "LOG_LEVEL": "error"}
    words = [
        "import",
        str(tmp_path / name),
        "--exchange",
        "binance",
        "--symbol",
        "BTC/USDT",
        "--timeframe",
        "1h",
    ]
    for at in range(4, len(valid) - 4, max(1, len(valid) // 150)):
        content = bytearray(valid)
        content[at] ^= 0x55
        (tmp_path / name).write_bytes(content)
        require_lawful(run(lambda: backfiller_main(words), environment))


def test_a_csv_time_beyond_all_dates_is_told_with_its_line(tmp_path):
    file = samples.write_csv(tmp_path / "a.csv", [(10**17 + 1, 1.0, 1.0, 1.0, 1.0, 1.0)])
    environment = {
        "CONFIG_FILE": str(ROOT / "config/trader.yml"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
    }
    ended = _ended(lambda: trader_main(["backtest", "--csv", str(file)], environment), environment)
    assert "line 2" in ended.err


# --- answers of an exchange ---


@pytest.mark.parametrize(
    "value",
    [
        "9" * 400,
        "9" * 5000,
        "٣",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ],
)
def test_a_retry_after_beyond_all_bans_is_waited_for_three_days_at_most(value):
    reply = Reply(status=429, headers={"Retry-After": value})
    found = classified(errors.RateLimitExceeded("x"), reply)
    assert isinstance(found, TransientError)
    assert found.retry_after_s is not None
    assert 0 < found.retry_after_s <= 259_200


def test_an_answer_nested_too_deeply_for_its_reader_is_no_answer():
    assert isinstance(classified(RecursionError(), Reply()), TransientError)


@pytest.mark.parametrize("number", [10**400, 1e16, 1e-30])
def test_a_price_beyond_any_markets_is_no_candle(number):
    with pytest.raises(BadMarketData, match="found"):
        Candle(0, number, number, number, number, 1.0)
    with pytest.raises(BadMarketData, match="found"):
        Candle(0, 1.0, 1.0, 1.0, 1.0, 1e25)


@pytest.mark.parametrize(
    "rule", [float("nan"), float("inf"), "abc", -1, {"a": 1}, "1E+999999", "1E-999999", []]
)
def test_a_rule_of_a_market_that_no_market_can_have_counts_as_not_told(rule):
    told = {
        "precision": {"amount": rule, "price": rule},
        "limits": {"amount": {"min": rule}, "cost": {"min": rule}},
    }
    for mode in (2, 4):
        (found,) = markets_of({"BTC/USDT": told}, mode)
        assert found.amount_step is None or found.amount_step > 0
        assert (found.min_amount, found.min_cost) == (None, None)


def test_an_amount_step_of_nothing_is_none():
    (found,) = markets_of({"BTC/USDT": {"precision": {"amount": 0.0, "price": 0.0}}}, 4)
    assert (found.amount_step, found.price_step) == (None, None)
