"""A value in an error message: on one line, of a bounded length, whatever was given."""

from __future__ import annotations

import reprlib
import sys

_LONGEST = 120  # characters


class _Short(reprlib.Repr):
    """Looks a few levels deep and at the first few items: a value may be larger than the memory when spelt out."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = _LONGEST
        self.maxlong = 60

    def repr_int(self, number: int, level: int) -> str:
        """Python refuses to spell out a number of some thousand digits."""
        if number.bit_length() > sys.int_info.default_max_str_digits * 3:
            return f"a number of {number.bit_length()} bits"
        return super().repr_int(number, level)


_SHORT = _Short()


def shown(value: object) -> str:
    """The value as Python would write it, cut short."""
    text = _SHORT.repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def named(key: object) -> str:
    """A key as it was given, or as `shown` where it would break a line or go on and on."""
    text = key if isinstance(key, str) else shown(key)
    return text if text.isprintable() and len(text) <= _LONGEST else shown(text)
