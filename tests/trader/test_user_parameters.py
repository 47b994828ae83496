"""A user's own strategy: found beside the file, its parameters typed from YAML and environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from common.errors import ConfigurationError
from tests.trader.market import closes
from tests.trader.running import ROOT, environment, rows
from trader.__main__ import main
from trader.backtest.setup import registered
from trader.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

GOOD = (ROOT / "config/trader.yml").read_text(encoding="utf-8")
MINE = """
from __future__ import annotations
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Literal
import pandas as pd
from pydantic import Field
from trader.strategies.strategy import Parameters

class Pace(Enum):
    SLOW = "slow"
    FAST = "fast"

class MineParameters(Parameters):
    length: int = Field(3, ge=2)
    side: Literal["up", "down"] = "up"
    share: Decimal | None = None
    loud: bool = False
    pace: Pace = Pace.SLOW
    pause: timedelta = timedelta(hours=1)
    levels: list[float] = []

@dataclass
class Level:
    price: float

class Mine:
    Parameters = MineParameters

    def __init__(self, parameters):
        self.parameters = parameters
        self.warmup = parameters.length

    def evaluate(self, candles):
        return pd.DataFrame({"signal": "hold", "reason": "never"}, index=candles.index)
"""


@pytest.fixture
def config(tmp_path):
    """Writes trader.yml, for a strategy of mine.py with these parameters in YAML."""

    def write(parameters: str = "{}", text: str = MINE) -> Path:
        (tmp_path / "strategies").mkdir()
        (tmp_path / "strategies/mine.py").write_text(text, encoding="utf-8")
        start, end = GOOD.index("strategy: rsi"), GOOD.index("# In quote")
        ours = f"strategy: mine:Mine\nparameters: {parameters}\n"
        file: Path = tmp_path / "trader.yml"
        file.write_text(GOOD[:start] + ours + GOOD[end:], encoding="utf-8")
        return file

    return write


def parameters(file: Path, **variables: str) -> Any:
    return load_settings({"CONFIG_FILE": str(file)} | variables)[0].parameters


def refusal(file: Path, **variables: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        parameters(file, **variables)
    return str(refused.value)


def test_parameters_come_typed_from_the_yaml_file(config):
    found = parameters(config("{length: 5, side: down, share: 0.25}"))
    assert (found.length, found.side, str(found.share), found.loud) == (5, "down", "0.25", False)


def test_the_environment_sets_any_of_them_over_the_file(config):
    found = parameters(
        config("{length: 5, share: 0.25}"),
        PARAMETER_LENGTH="9",
        PARAMETER_SIDE="down",
        PARAMETER_SHARE="none",
        PARAMETER_LOUD="true",
    )
    assert (found.length, found.side, found.share, found.loud) == (9, "down", None, True)


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"PARAMETER_LENGTH": "1"},
            "PARAMETER_LENGTH: expected greater than or equal to 2, found '1'",
        ),
        ({"PARAMETER_LENGTH": "none"}, "PARAMETER_LENGTH: expected a valid integer"),
        ({"PARAMETER_SIDE": "left"}, "PARAMETER_SIDE: expected 'up' or 'down', found 'left'"),
        (
            {"PARAMETER_LENGHT": "9"},
            "PARAMETER_LENGHT: unknown environment variable; did you mean 'PARAMETER_LENGTH'?",
        ),
        (
            {"PARAMETERS_LENGTH": "9"},
            "PARAMETERS_LENGTH: unknown environment variable; did you mean 'PARAMETER_LENGTH'?",
        ),
    ],
)
def test_a_wrong_one_is_refused_by_the_name_of_its_variable(config, variables, line):
    assert refusal(config(), **variables).startswith(line)


def test_what_a_fleet_is_told_for_rsi_is_nothing_to_a_users_strategy(config):
    assert parameters(config("{length: 5}"), RSI_PERIOD="7", RSI_OVERSOLD="20").length == 5


def test_rsi_has_its_documented_names_and_the_general_ones():
    file = ROOT / "config/trader.yml"
    assert parameters(file, PARAMETER_PERIOD="7") == parameters(file, RSI_PERIOD="7")
    assert refusal(file, PARAMETER_PERIOD="7", RSI_PERIOD="8").startswith(
        "RSI_PERIOD and PARAMETER_PERIOD: expected one value for parameters.period"
    )


def test_a_strategy_without_parameters_has_none_to_set(config):
    text = MINE.replace("    Parameters = MineParameters\n", "")
    text = text.replace("(self, parameters)", "(self, parameters=MineParameters())")
    file = config(text=text)
    assert load_settings({"CONFIG_FILE": str(file)})[1].warmup == 3
    assert refusal(file, PARAMETER_LENGTH="9") == (
        "PARAMETER_LENGTH: unknown environment variable; there is none of this kind"
    )


def test_a_file_that_was_written_for_another_strategy_is_told_as_that(config):
    file = config()
    file.write_text(GOOD)
    assert refusal(file, STRATEGY="mine:Mine") == (
        f"STRATEGY: expected a file with parameters of that strategy, found period in {file}, "
        "written for rsi; name a file of its own by CONFIG_FILE"
    )


def test_parameters_that_would_let_a_misspelt_key_pass_are_refused(config):
    text = MINE.replace("import Field", "import BaseModel, Field")
    assert refusal(config(text=text.replace("(Parameters):", "(BaseModel):"))).startswith(
        "STRATEGY: expected Mine.Parameters to be a subclass of trader.strategies.strategy.Parameters"
    )


def test_a_parameter_that_is_named_like_a_key_of_the_trader_is_refused(config):
    assert refusal(config(text=MINE.replace("loud: bool = False", "stop_loss: float = 0.1"))) == (
        "STRATEGY: expected parameters with names of their own, found stop_loss, "
        "which is a key of the trader"
    )


def test_they_are_registered_and_a_backtest_of_the_registration_has_them_again(
    config, market, database_url, capsys
):
    market.add(*closes(30))
    file = config("{length: 5, pause: P2D, levels: [1.5, 2]}")
    given = {"CONFIG_FILE": str(file), "PARAMETER_SHARE": "0.25", "PARAMETER_PACE": "fast"}
    assert main(["--once"], environment(database_url, **given)) == 0
    [(kept,)] = rows(market.database, "SELECT parameters FROM strategy_metadata")
    assert json.loads(str(kept)).items() >= {
        "length": 5, "share": "0.25", "pace": "fast", "pause": "P2D", "levels": [1.5, 2.0],
    }.items()  # fmt: skip
    again: Any = registered(market.database, "trader-btc-binance-1h").strategy
    assert repr(again.parameters) == repr(
        parameters(file, **given)
    )  # each loads a class of its own
    capsys.readouterr()
    arguments = ["backtest", "--strategy-id", "trader-btc-binance-1h"]
    assert main(arguments, environment(database_url)) == 0
