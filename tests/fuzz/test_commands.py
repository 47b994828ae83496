"""Command lines that no manual has: one line and status 2, or the command does what it was asked for."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schema
from backfiller.__main__ import main as backfiller
from candlewell.__main__ import main as candlewell
from common.errors import ConfigurationError
from common.registry import Registration, Registry
from practice.arguments import parse_arguments
from tests.backfiller_files import samples
from tests.fuzz import strange
from tests.fuzz.lawful import require_lawful, require_short, run
from tests.fuzz.profile import count, examples
from trader.__main__ import main as trader

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]

_TRADER: dict[str, tuple[str, ...]] = {
    "backtest": ("--strategy-id", "--since", "--until", "--csv", "--json", "--slippage"),
    "check-strategy": ("--strategy-id", "--since", "--until", "--csv"),
    "audit": ("--since", "--until", "--json"),
    "control": ("--strategy-id", "--fleet", "--reason"),
}
_BACKFILLER: dict[str, tuple[str, ...]] = {
    "import": ("--exchange", "--symbol", "--timeframe", "--format"),
    "export": (
        "--exchange",
        "--symbol",
        "--timeframe",
        "--since",
        "--until",
        "--format",
        "--output",
    ),
    "coverage": ("--exchange", "--symbol", "--timeframe", "--json"),
    "gaps": ("--exchange", "--symbol", "--timeframe", "--json", "--state"),
    "archive": ("--verify", "--dry-run"),
}
_CANDLEWELL: dict[str, tuple[str, ...]] = {
    "status": ("--json",),
    "pnl": ("--strategy-id", "--json"),
    "trades": ("--strategy-id", "--since", "--limit", "--json"),
    "signals": ("--strategy-id", "--since", "--limit", "--json"),
    "events": ("--since", "--limit", "--level", "--kind", "--source", "--json"),
    "halt": ("--strategy-id", "--fleet", "--reason"),
    "resume": ("--strategy-id", "--fleet", "--reason"),
    "write-off": ("--reason",),
    "coverage": ("--exchange", "--json"),
    "audit": ("--since",),
}
_WORDS = {
    "--limit": "5",
    "--exchange": "binance",
    "--symbol": "BTC/USDT",
    "--timeframe": "1h",
    "--strategy-id": "known",
    "--since": "2024-01-02",
    "--until": "2024-01-05",
    "--format": "csv",
    "--output": "out.csv",
    "--csv": "candles.csv",
    "--slippage": "0.001",
    "--reason": "because",
}


@pytest.fixture
def folder(database_url, tmp_path, monkeypatch) -> Path:
    """A database with candles and a strategy, and files beside it."""
    database = samples.open_database(database_url)
    samples.store(database, samples.candles(400))
    registration = Registration(
        "known", samples.PARTITION, "rsi", None, "paper", {}, 281, Decimal(10_000)
    )
    Registry(database).register(registration)
    database.close()
    samples.write_csv(tmp_path / "candles.csv", samples.candles(300))
    (tmp_path / "backfiller.yml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    folder: Path = tmp_path
    return folder


@st.composite
def _line(draw: st.DrawFn, known: dict[str, tuple[str, ...]]) -> list[str]:
    """A command with options, each with what belongs to it or with anything."""
    command = draw(st.sampled_from(sorted(known)))
    words = [command]
    if command in {"import", "audit", "control"}:
        usual = {"import": "candles.csv", "audit": "known", "control": "halted"}[command]
        words.append(draw(st.one_of(st.just(usual), strange.words)))
    for option in draw(st.lists(st.sampled_from(known[command]), unique=True, max_size=6)):
        words.append(option)
        if option in {"--json", "--fleet", "--verify", "--dry-run"}:
            continue
        words.append(draw(st.one_of(st.just(_WORDS.get(option, "x")), strange.words)))
    return words


def _environment(folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{folder}/trading.db",
        "CONFIG_FILE": str(ROOT / "config/trader.yml"),
        "BACKFILLER_CONFIG": str(folder / "backfiller.yml"),
        "LOG_LEVEL": "error",
    }


@examples(200)
@given(words=_line(_TRADER))
def test_a_trader_does_what_any_command_line_says_or_says_why_not(folder, words):
    count("command lines of a trader")
    environment = _environment(folder)
    require_lawful(run(lambda: trader(words, environment), environment))


@examples(250)
@given(words=_line(_BACKFILLER))
def test_the_backfiller_does_what_any_command_line_says_or_says_why_not(folder, words):
    count("command lines of the backfiller")
    require_lawful(run(lambda: backfiller(words), _environment(folder)))


@examples(100)
@given(words=_line(_CANDLEWELL))
def test_candlewell_does_what_any_command_line_says_or_says_why_not(folder, words):
    count("command lines of candlewell")
    require_lawful(run(lambda: candlewell(words), _environment(folder)))


@examples(60)
@given(words=st.lists(strange.words, max_size=3))
def test_unknown_words_are_refused_by_each_program(folder, words):
    count("unknown words")
    environment = _environment(folder)
    programs: list[Callable[[], int | None]] = [
        lambda: trader(["audit", *words], environment),
        lambda: backfiller(["gaps", *words]),
        lambda: backfiller(["coverage", *words]),
        lambda: schema.main(["--database", *words] if words else ["x"]),
        lambda: candlewell(["restore", "--folder", *words]),
    ]
    for program in programs:
        require_lawful(run(program, environment))


@examples(60)
@given(name=strange.words, backup=strange.words)
def test_schema_and_restore_take_any_name_or_say_why_not(folder, name, backup):
    count("names of a database")
    url = f"sqlite:///{folder}/made/{name.replace('/', '').replace('..', '')}"
    require_lawful(run(lambda: schema.main(["--database", url]), _environment(folder)))
    words = ["restore", "--folder", str(folder / "backups"), "--", backup]
    environment = _environment(folder) | {"DATABASE_URL": url}
    require_lawful(run(lambda: candlewell(words), environment))


_PRACTICE = (
    "--port",
    "--host",
    "--seed",
    "--start",
    "--speed",
    "--data",
    "--key",
    "--balance",
    "--fee-rate",
)


@examples(200)
@given(given_=st.lists(st.tuples(st.sampled_from(_PRACTICE), strange.words), max_size=4))
def test_the_practice_exchange_understands_its_arguments_or_says_which_it_does_not(given_):
    count("arguments of the practice exchange")
    words = ["--port", "0", *(word for pair in given_ for word in pair)]
    try:
        parse_arguments(words, {})
    except ConfigurationError as error:
        require_short(error)
    except SystemExit:  # --help
        return
