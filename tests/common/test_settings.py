"""Configuration: what a user gets wrong is named, with what was expected and what was found."""

from __future__ import annotations

import pytest
from pydantic import Field

from common.errors import ConfigurationError
from common.settings import Settings, load

VARIABLES = {
    "MODE": "mode",
    "RSI_PERIOD": "parameters.period",
    "STAKE_AMOUNT": "stake_amount",
    "API_SECRET": "api_secret",
}


class Parameters(Settings):
    period: int = Field(14, ge=2)
    oversold: float = 30.0


class Example(Settings):
    mode: str = "paper"
    stake_amount: float = Field(100.0, gt=0)
    parameters: Parameters = Parameters()
    api_secret: str = Field("", max_length=5)


def read(tmp_path, text: str = "", **environment: str) -> Example:
    file = tmp_path / "trader.yml"
    file.write_text(text, encoding="utf-8")
    return load(Example, file=file, environment=environment, variables=VARIABLES)


def message(tmp_path, text: str = "", **environment: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, text, **environment)
    return str(refused.value).replace(str(tmp_path), "…")


def test_the_environment_is_over_the_file_and_the_file_over_the_defaults(tmp_path):
    settings = read(
        tmp_path, "stake_amount: 50\nparameters: {period: 7, oversold: 20}", RSI_PERIOD="9"
    )
    assert settings.stake_amount == 50
    assert settings.parameters == Parameters(period=9, oversold=20)


def test_an_empty_variable_counts_as_not_given(tmp_path):
    assert read(tmp_path, "", RSI_PERIOD="").parameters.period == 14


def test_an_empty_file_gives_the_defaults(tmp_path):
    assert read(tmp_path) == Example()


def test_a_bad_value_of_the_environment_is_named_by_its_variable(tmp_path):
    assert message(tmp_path, "", RSI_PERIOD="0") == (
        "RSI_PERIOD: expected greater than or equal to 2, found '0'"
    )


def test_a_bad_value_of_the_file_is_named_by_file_and_key(tmp_path):
    assert message(tmp_path, "parameters: {period: many}").startswith(
        "…/trader.yml: parameters.period: expected a valid integer"
    )


def test_an_unknown_key_is_named_with_its_nearest_neighbour(tmp_path):
    assert message(tmp_path, "parameters: {perod: 3}") == (
        "…/trader.yml: parameters.perod: unknown key; did you mean 'period'?"
    )


def test_every_mistake_has_its_line(tmp_path):
    lines = message(tmp_path, "stake_amount: -1\ncolour: red").splitlines()
    assert [line.split(": ")[1] for line in lines] == ["stake_amount", "colour"]


def test_a_misspelt_variable_is_refused(tmp_path):
    assert message(tmp_path, "", STAKE_AMMOUNT="5") == (
        "STAKE_AMMOUNT: unknown environment variable; did you mean 'STAKE_AMOUNT'?"
    )


def test_a_variable_of_another_program_is_none_of_our_business(tmp_path):
    assert read(tmp_path, "", MODEL="x", STAKE="5", PATH="/bin") == Example()


TWO_NAMES = VARIABLES | {"PARAMETER_PERIOD": "parameters.period"}


def read_two_names(**environment: str) -> Example:
    return load(
        Example, file=None, environment=environment, variables=TWO_NAMES, prefix="PARAMETER_"
    )


def test_a_key_with_two_names_may_be_given_by_either_or_by_both_alike():
    for given in (["RSI_PERIOD"], ["PARAMETER_PERIOD"], ["RSI_PERIOD", "PARAMETER_PERIOD"]):
        assert read_two_names(**dict.fromkeys(given, "9")).parameters.period == 9


def test_two_names_with_different_values_are_refused_by_both():
    with pytest.raises(ConfigurationError) as refused:
        read_two_names(RSI_PERIOD="7", PARAMETER_PERIOD="9")
    assert str(refused.value) == (
        "RSI_PERIOD and PARAMETER_PERIOD: expected one value for parameters.period, found '7' and '9'"
    )


def test_an_empty_name_beside_a_given_one_is_no_second_value():
    assert read_two_names(RSI_PERIOD="7", PARAMETER_PERIOD="").parameters.period == 7


@pytest.mark.parametrize("name", ["PARAMETER_PEROD", "PARAMETER_SOMETHING_ELSE"])
def test_a_name_with_our_prefix_that_is_not_known_is_refused(name):
    with pytest.raises(ConfigurationError, match=f"{name}: unknown environment variable; .*PERIOD"):
        read_two_names(**{name: "9"})


def test_an_empty_name_with_our_prefix_counts_as_not_given():
    assert read_two_names(PARAMETER_PERIO="") == Example()


def test_a_prefix_of_which_there_is_no_variable_is_told_as_that():
    with pytest.raises(ConfigurationError, match="PARAMETER_X: unknown .*; there is none of this"):
        load(
            Example,
            file=None,
            environment={"PARAMETER_X": "1"},
            variables=VARIABLES,
            prefix="PARAMETER_",
        )


def test_a_key_given_twice_is_refused_with_its_line(tmp_path):
    found = message(tmp_path, "stake_amount: 1\nstake_amount: 2\n")
    assert "the key 'stake_amount' a second time" in found
    assert "line 2" in found


@pytest.mark.parametrize(
    "text", ["- a\n- b", "just words", "a: [1, 2", "a: !!python/object:os.system {}"]
)
def test_a_file_that_is_no_mapping_or_no_yaml_is_refused_in_one_line(tmp_path, text):
    found = message(tmp_path, text)
    assert found.startswith("…/trader.yml: expected")
    assert len(found.splitlines()) == 1


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        ConfigurationError,
        match="CONFIG_FILE: expected a file that can be read, found .*nowhere.yml",
    ):
        load(Example, file=tmp_path / "nowhere.yml", environment={}, variables=VARIABLES)


def test_a_secret_is_never_repeated(tmp_path):
    found = message(tmp_path, "", API_SECRET="correct-horse")
    assert found.startswith("API_SECRET: expected")
    assert "correct" not in found
