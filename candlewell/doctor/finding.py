"""What a check found: what was expected, what was found instead, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is, from the best to the worst."""

    OK = "ok"
    NOTE = "note"  # worth knowing, or could not be looked at here; nothing is wrong
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `check` is the name of the check that found it."""

    check: str
    level: Level
    expected: str
    found: str
    advice: str = ""

    def as_row(self) -> dict[str, str]:
        """For a program."""
        return {
            "check": self.check,
            "level": self.level.value,
            "expected": self.expected,
            "found": self.found,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check returns: a finding without the name of the check."""

    level: Level
    expected: str
    found: str
    advice: str = ""


def ok(found: str) -> Seen:
    """All as it should be."""
    return Seen(Level.OK, "", found)


def note(found: str, advice: str = "") -> Seen:
    """Something worth knowing, or why it was not looked at."""
    return Seen(Level.NOTE, "", found, advice)


def warning(expected: str, found: str, advice: str) -> Seen:
    """Something that will be a problem, or may be one."""
    return Seen(Level.WARNING, expected, found, advice)


def problem(expected: str, found: str, advice: str) -> Seen:
    """Something that is wrong now."""
    return Seen(Level.PROBLEM, expected, found, advice)
