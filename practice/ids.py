"""Numbers that do not look like numbers: Coinbase and Kraken tell orders and trades by such ids.

Multiplying by an odd number modulo a power of two gives each number an id of its own and can be undone,
so nothing has to be kept. Ids that follow each other are as far apart as a real exchange's are.
"""

from __future__ import annotations

from uuid import UUID

_UUID_BITS, _KRAKEN_BITS = 128, 80
_FACTOR = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd, and without a pattern
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LETTER_BITS = 5
_KINDS = ("order", "trade")
_KRAKEN_LENGTH = 1 + _KRAKEN_BITS // _LETTER_BITS
_MOST = 2**63 - 1  # what the state can number


def uuid_of(kind: str, number: int) -> str:
    """The number of an order or a trade as a UUID."""
    numbered = number * len(_KINDS) + _KINDS.index(kind)
    return str(UUID(int=numbered * _FACTOR % (1 << _UUID_BITS)))


def number_of_uuid(kind: str, text: str) -> int | None:
    """The number of an order or a trade behind a UUID; None if there is none."""
    try:
        numbered = _unscrambled(UUID(text).int, _UUID_BITS)
    except ValueError:
        return None
    number, found = divmod(numbered, len(_KINDS))
    return number if _KINDS[found] == kind and number <= _MOST else None


def kraken_id_of(letter: str, number: int) -> str:
    """The number in Kraken's form, such as OB5VMB-B4U2U-DK2WRW for an order."""
    scrambled = number * _FACTOR % (1 << _KRAKEN_BITS)
    shifts = range(_KRAKEN_BITS - _LETTER_BITS, -1, -_LETTER_BITS)
    text = letter + "".join(_ALPHABET[scrambled >> shift & 31] for shift in shifts)
    return f"{text[:6]}-{text[6:11]}-{text[11:]}"


def number_of_kraken_id(letter: str, text: str) -> int | None:
    """The number behind an id in Kraken's form; None if there is none."""
    letters = text.replace("-", "")
    if len(letters) != _KRAKEN_LENGTH or letters[0] != letter or set(letters) - set(_ALPHABET):
        return None
    scrambled = 0
    for one in letters[1:]:
        scrambled = scrambled << _LETTER_BITS | _ALPHABET.index(one)
    number = _unscrambled(scrambled, _KRAKEN_BITS)
    return number if number <= _MOST else None


def _unscrambled(scrambled: int, bits: int) -> int:
    modulus = 1 << bits
    return scrambled * pow(_FACTOR, -1, modulus) % modulus
