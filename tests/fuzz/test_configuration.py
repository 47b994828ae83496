"""Configuration files that nobody should write: the daemons say what is wrong with them, or run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given
from hypothesis import strategies as st

import backfiller.settings
from backfiller.needs import combined, configured
from backfiller.source import Source
from common.errors import ConfigurationError
from tests.backfiller_files import samples
from tests.fuzz import strange
from tests.fuzz.lawful import require_lawful, require_short, run
from tests.fuzz.profile import count, examples
from trader.__main__ import main as trader

if TYPE_CHECKING:
    from backfiller.settings import BackfillerSettings

ROOT = Path(__file__).parents[2]
TRADER = (ROOT / "config/trader.yml").read_text(encoding="utf-8")
BACKFILLER = (ROOT / "config/backfiller.yml").read_text(encoding="utf-8")
_TRADER_KEYS = list(yaml.safe_load(TRADER))
_BACKFILLER_KEYS = list(yaml.safe_load(BACKFILLER))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """With three hundred candles, which is more than a strategy needs to warm up."""
    path: Path = tmp_path_factory.mktemp("configured")
    samples.write_csv(path / "candles.csv", samples.candles(300))
    return path


@st.composite
def _with_a_strange_value(draw: st.DrawFn, text: str, keys: list[str]) -> bytes:
    """The file that the project ships, with a key or two of any value."""
    content: dict[str, Any] = yaml.safe_load(text)
    some: list[str] = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=2))
    for key in some:
        own: Any = content.get(key)
        inner: list[str] = list(own) if isinstance(own, dict) else []
        inside: bool = draw(st.booleans())
        if inner and inside:
            place: str = draw(st.sampled_from(inner))
            own[place] = draw(strange.structures)
        else:
            content[key] = draw(strange.structures)
    return strange.dumped(content)


def _files(text: str, keys: list[str]) -> st.SearchStrategy[bytes]:
    return st.one_of(
        strange.edited(text),
        _with_a_strange_value(text, keys),
        st.builds(strange.dumped, strange.structures),
        st.binary(max_size=40),
        st.builds(
            lambda value: f"exchange: {value}\n".encode("utf-8", "surrogatepass"),
            strange.hostile_values(),
        ),
    )


@examples(120)
@given(content=_files(TRADER, _TRADER_KEYS))
def test_a_trader_backtests_with_any_file_or_says_what_is_wrong(folder, content: bytes):
    count("trader.yml")
    file = folder / "trader.yml"
    file.write_bytes(content)
    environment = {
        "CONFIG_FILE": str(file),
        "DATABASE_URL": f"sqlite:///{folder}/none.db",
    }
    words = ["backtest", "--csv", str(folder / "candles.csv")]
    require_lawful(run(lambda: trader(words, environment), environment))


@examples(150)
@given(content=_files(BACKFILLER, _BACKFILLER_KEYS))
def test_the_backfiller_takes_any_file_or_says_what_is_wrong(folder, content: bytes):
    count("backfiller.yml")
    file = folder / "backfiller.yml"
    file.write_bytes(content)
    environment = {"BACKFILLER_CONFIG": str(file)}
    try:
        settings = backfiller.settings.load_settings(environment)
    except ConfigurationError as error:
        require_short(error)
        return
    _require_usable(settings)


def _require_usable(settings: BackfillerSettings) -> None:
    """What the daemon makes of its settings as it starts."""
    IntervalTrigger(seconds=settings.ticker_interval_s)
    IntervalTrigger(seconds=settings.clock_interval_s)
    IntervalTrigger(seconds=settings.upkeep.watch_interval_s)
    IntervalTrigger(seconds=settings.upkeep.checkpoint_interval_s)
    needs = combined(configured(settings, Path("backfiller.yml")), {}, settings.history)
    for partition in needs:
        source = Source(
            partition.exchange,
            timeout_s=settings.request_timeout_s,
            speed=1.0,
            environment={},
        )
        assert source.exchange == partition.exchange
