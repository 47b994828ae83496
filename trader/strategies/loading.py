"""Finds a strategy by its name: one of ours, or `module:Class` of the user's folder."""

from __future__ import annotations

import importlib.util
import re
import sys
from typing import TYPE_CHECKING, Any

from common.errors import ConfigurationError
from common.settings import nearest
from trader.strategies.strategy import Parameters

if TYPE_CHECKING:
    from pathlib import Path

    from trader.strategies.strategy import Strategy

_USERS = re.compile(r"([A-Za-z_]\w*):([A-Za-z_]\w*)")
_OURS = {"rsi": ("trader.strategies.rsi", "Rsi")}


def load_class(name: str, folder: Path) -> type[Any]:
    """The class of a strategy.

    Args:
        name: `rsi`, or `module:Class` for the class in the file `module.py`.
        folder: where the user's files are.

    Raises:
        ConfigurationError: there is none, or it is not a strategy.
    """
    if name in _OURS:
        module, attribute = _OURS[name]
        return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
    if not (match := _USERS.fullmatch(name)):
        raise ConfigurationError(
            f"STRATEGY: expected rsi, or module:Class from {folder}, found {name!r}; {nearest(name, _OURS)}"
        )
    found = getattr(_module(match[1], folder), match[2], None)
    if not isinstance(found, type) or not hasattr(found, "evaluate"):
        raise ConfigurationError(
            f"STRATEGY: expected a class {match[2]} with `evaluate` in {folder / match[1]}.py, found none"
        )
    return found


def parameters_of(strategy: type[Any]) -> type[Parameters]:
    """The type of that class's parameters.

    Raises:
        ConfigurationError: it is not ours, so that a misspelt key would go unnoticed.
    """
    found: object = getattr(strategy, "Parameters", Parameters)
    if not (isinstance(found, type) and issubclass(found, Parameters)):
        raise ConfigurationError(
            f"STRATEGY: expected {strategy.__name__}.Parameters to be a subclass of "
            f"trader.strategies.strategy.Parameters, found {found!r}"
        )
    return found


def make(strategy: type[Any], parameters: Parameters) -> Strategy:
    """The strategy with its parameters.

    Raises:
        ConfigurationError: it cannot be made with them, or does not say how many candles it needs.
    """
    try:
        made: Strategy = strategy(parameters) if hasattr(strategy, "Parameters") else strategy()
        warmup: object = made.warmup
    except Exception as error:
        raise ConfigurationError(
            f"STRATEGY: expected {strategy.__name__} to be made of its parameters, found "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(warmup, int) or warmup < 1:
        raise ConfigurationError(
            f"STRATEGY: expected {strategy.__name__}.warmup to be a whole number above 0, found {warmup!r}"
        )
    return made


def _module(name: str, folder: Path) -> Any:
    file = folder / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"strategies.{name}", file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise ConfigurationError(f"STRATEGY: expected a file {file}, found none")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = (
        module  # where dataclasses and pydantic look the names of annotations up
    )
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's file may raise anything
        raise ConfigurationError(
            f"STRATEGY: expected {file} to load, found {type(error).__name__}: {error}"
        ) from error
    return module
