"""What sets the parameters of a strategy: environment variables, and a file that is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pydantic import BaseModel

PARAMETER = "PARAMETER_"


def parameter_variables(
    strategy: str, parameters: type[BaseModel], trader: type[BaseModel]
) -> dict[str, str]:
    """`PARAMETER_<NAME>` for each parameter; for a strategy of ours, `RSI_<NAME>` too.

    A user's strategy does not listen to RSI_PERIOD: that is set for a whole fleet, of which it may be one.

    Args:
        strategy: its name.
        parameters: the type of its parameters.
        trader: the type of the settings that they are part of.

    Raises:
        ConfigurationError: a parameter is named like a key of the trader. Both are kept in one place with a
            registered strategy, where one would replace the other.
    """
    names = _names(parameters)
    if taken := sorted(set(names) & trader.model_fields.keys()):
        raise ConfigurationError(
            f"STRATEGY: expected parameters with names of their own, found {taken[0]}, "
            "which is a key of the trader"
        )
    prefixes = [PARAMETER] if ":" in strategy else [f"{strategy.upper()}_", PARAMETER]
    return {
        f"{prefix}{name.upper()}": f"parameters.{name}" for prefix in prefixes for name in names
    }


def require_own_parameters(
    content: Mapping[str, Any], parameters: type[BaseModel], file: str
) -> None:
    """Looks at the parameters of a file that names another strategy than the environment does.

    Raises:
        ConfigurationError: they are not those of this strategy.
    """
    given = content.get("parameters")
    unknown = (
        [key for key in given if key not in _names(parameters)] if isinstance(given, dict) else []
    )
    if unknown:
        raise ConfigurationError(
            f"STRATEGY: expected a file with parameters of that strategy, found {unknown[0]} in {file}; "
            "name a file of its own by CONFIG_FILE"
        )


def _names(parameters: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in parameters.model_fields.items()]
