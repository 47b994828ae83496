"""A YAML file of the user: small, shallow, and a mapping; whatever else it may be is said in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from common.errors import ConfigurationError
from common.shown import shown
from common.text_file import read_text

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 256_000  # four thousand partitions
MOST_VALUES = 100_000  # with each alias counted as all that it stands for
DEEPEST = 20  # levels
_LONGEST = 300  # characters of PyYAML's own words

# What PyYAML's constructors raise for a tag or a date that no value fits, beside its own errors.
_IMPOSSIBLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def read_yaml(file: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds; an empty file is an empty one.

    Raises:
        ConfigurationError: it is missing, not YAML, not a mapping, too large, or has a key twice.
    """
    try:
        text = read_text(file, most_bytes=MOST_BYTES)
    except OSError as error:
        raise ConfigurationError(
            f"CONFIG_FILE: expected a file that can be read, found {file}: {error.strerror}"
        ) from None
    except ValueError as error:  # no text, too long, or a name that no file can have
        raise ConfigurationError(f"{file}: expected YAML, found: {_words(error)}") from None
    try:
        content = _content(text)
    except (yaml.YAMLError, *_IMPOSSIBLE) as error:
        raise ConfigurationError(f"{file}: expected YAML, found: {_words(error)}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file}: expected keys with values, found {shown(content)}")
    return content


def _content(text: str) -> Any:
    loader = _Loader(text)
    try:
        _require_shallow(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _require_few(node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _require_shallow(text: str) -> None:
    """PyYAML's parser goes through any depth event by event; what builds on it calls itself for each level."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(f"more than {DEEPEST} levels")


def _require_few(root: yaml.Node) -> None:
    """A few lines of aliases can stand for more values than the memory holds."""
    counted: dict[int, int] = {}

    def count(node: yaml.Node, above: frozenset[int]) -> int:
        name = id(node)
        if name in above:
            raise yaml.MarkedYAMLError(None, None, "an alias for what it is in", node.start_mark)
        if name not in counted:
            inside = above | {name}
            counted[name] = 1 + sum(count(part, inside) for part in _parts(node))
        if counted[name] > MOST_VALUES:
            raise yaml.MarkedYAMLError(
                None, None, f"more than {MOST_VALUES:,} values", node.start_mark
            )
        return counted[name]

    count(root, frozenset())


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, except that a key given twice is an error and not the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, dict | list | set):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {shown(key)}, which is no word", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {shown(key)} a second time", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _words(error: Exception) -> str:
    """One line of it."""
    text = " ".join(str(error).split())
    if isinstance(
        error, LookupError | AttributeError | TypeError
    ):  # Python's words, which tell nothing
        text = "a value that is not what its tag says"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
