"""Configuration: one typed object, made once from a YAML file with the environment over it.

A key that nothing knows, given twice, or with an impossible value is an error that names it, says what was
expected and what was found.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import ConfigurationError
from common.given import require_variables
from common.shown import named, shown
from common.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

_NEAR = 0.85
_TELLING = 6  # letters
_MOST_LINES = 20
_SECRET_WORDS = ("secret", "password", "api_key", "apikey", "token")


class Settings(BaseModel):
    """The root of all configuration: frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


S = TypeVar("S", bound=Settings)


def load(
    model: type[S],
    *,
    file: Path | None,
    environment: Mapping[str, str],
    variables: Mapping[str, str],
    prefix: str | None = None,
) -> S:
    """Reads a model from a YAML file and the environment.

    Args:
        model: what to make.
        file: the YAML file; None for none.
        environment: the variables of this process; an empty one counts as not given.
        variables: which variable sets which key, nested keys with dots: `RSI_PERIOD: parameters.period`.
            A key may have two names; both may be given if they say the same.
        prefix: names that begin like this are ours alone, so one that is not in `variables` is an error.

    Raises:
        ConfigurationError: one line for each key that is wrong.
    """
    _refuse_misspelt(environment, variables, prefix)
    require_variables(environment, variables)
    given = {} if file is None else read_yaml(file)
    origin: dict[str, str] = {}
    for variable, key in variables.items():
        if value := environment.get(variable):
            _refuse_two_values(environment, origin.get(key), variable, key)
            _put(given, key.split("."), value)
            origin[key] = variable
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        lines = [_line(details, model, origin, file) for details in found[:_MOST_LINES]]
        more = len(found) - len(lines)
        lines += [f"{file}: and {more} more of the kind"] if more else []
        raise ConfigurationError("\n".join(lines)) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """Words for an error: the known key that looks most like this one, or all of them."""
    known = sorted(known)
    match = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {match[0]!r}?" if match else f"known are {', '.join(known)}"


def _refuse_misspelt(
    environment: Mapping[str, str], variables: Mapping[str, str], prefix: str | None
) -> None:
    """A variable that is almost one of ours is a mistake that would otherwise be passed over.

    Short names have too many neighbours: MODEL is no misspelt MODE. Names with our prefix need no guess: they
    are ours, or a mistake.
    """
    known = [name for name in variables if len(name) >= _TELLING]
    for name, value in environment.items():
        if name in variables:
            continue
        if prefix is not None and name.startswith(prefix):
            if value:
                family = [other for other in variables if other.startswith(prefix)]
                hint = nearest(name, family) if family else "there is none of this kind"
                raise ConfigurationError(f"{named(name)}: unknown environment variable; {hint}")
        elif near := difflib.get_close_matches(name, known, n=1, cutoff=_NEAR):
            raise ConfigurationError(
                f"{name}: unknown environment variable; did you mean {near[0]!r}?"
            )


def _refuse_two_values(
    environment: Mapping[str, str], other: str | None, variable: str, key: str
) -> None:
    if other is not None and environment[other] != environment[variable]:
        raise ConfigurationError(
            f"{other} and {variable}: expected one value for {key}, "
            f"found {shown(environment[other])} and {shown(environment[variable])}"
        )


def _put(tree: dict[str, Any], path: list[str], value: str) -> None:
    for name in path[:-1]:
        branch = tree.setdefault(name, {})
        if not isinstance(branch, dict):
            return  # the file has something else there: the model will say so
        tree = branch
    tree[path[-1]] = value


def _line(
    details: ErrorDetails, model: type[BaseModel], origin: Mapping[str, str], file: Path | None
) -> str:
    path = [str(part) for part in details["loc"]]
    key = ".".join(path)
    told = ".".join(named(part) for part in path)
    where = origin.get(key) or (f"{file}: {told}" if file and key else told)
    kind, found = details["type"], details["input"]
    is_secret = any(word in key.lower() for word in _SECRET_WORDS)
    if kind == "extra_forbidden":
        return f"{where}: unknown key; {nearest(path[-1], _keys_at(model, path[:-1]))}"
    if kind == "missing":
        return f"{where}: expected a value, found none"
    message = details["msg"].removeprefix("Value error, ")
    if not key:
        return message
    expected = message.removeprefix("Input should be ")
    return f"{where}: expected {expected}, found {'(not shown)' if is_secret else shown(found)}"


def _keys_at(model: Any, path: list[str]) -> list[str]:
    """The keys that a model knows at a path inside it."""
    for name in path:
        field = getattr(model, "model_fields", {}).get(name)
        if field is None:
            return []
        model = field.annotation
    fields = getattr(model, "model_fields", {})
    return [field.alias or name for name, field in fields.items()]
