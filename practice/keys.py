"""The API keys that the exchanges know, which can be revoked while they are in use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Keys(Mapping[str, str]):
    """The secrets of the keys that are valid now, by key."""

    def __init__(self, secrets: Mapping[str, str], can_withdraw: Collection[str] = ()) -> None:
        """`can_withdraw` are the keys that may withdraw, as far as the exchanges say; there is nothing to withdraw."""
        self._secrets = dict(secrets)
        self._can_withdraw = frozenset(can_withdraw)
        self._revoked: set[str] = set()

    def __getitem__(self, key: str) -> str:
        if key in self._revoked:
            raise KeyError(key)
        return self._secrets[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._secrets.keys() - self._revoked)

    def __len__(self) -> int:
        return len(self._secrets) - len(self._revoked)

    def can_withdraw(self, key: str) -> bool:
        """Whether its owner gave that key the right to withdraw."""
        return key in self._can_withdraw

    def change(self, key: str, *, valid: bool) -> None:
        """Revokes a key at all exchanges, or makes it valid again; its accounts stay as they are.

        Raises:
            ConfigurationError: there never was such a key.
        """
        if key not in self._secrets:
            raise ConfigurationError(
                f"key: expected one of {', '.join(self._secrets)}, found {key!r}"
            )
        (self._revoked.discard if valid else self._revoked.add)(key)
