"""Check of docker-compose's `.env`: keys that nothing reads, and near ones that were meant."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from candlewell.doctor.finding import Seen, note, ok, problem, warning
from trader.settings import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from candlewell.doctor.setup import Setup

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
_READ = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
_NEAR = 0.75
_OF_COMPOSE = {"COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME", "DOCKER_HOST"}
_OF_A_CONTAINER = {*VARIABLES, "BACKFILLER_CONFIG", "CLOCK_SPEED", "LOG_LEVEL", "LOG_FORMAT"}


def env_file(setup: Setup) -> Iterator[Seen]:
    """Whether each key of `.env` does something."""
    file = setup.place / ".env"
    if not file.is_file():
        yield note(f"no .env in {setup.place}: everything is at its default")
        return
    composed = sorted(setup.place.glob("docker-compose*.yml"))
    read = {name for path in composed for name in _READ.findall(_text(path))}
    if not read:
        yield note(f"no docker-compose.yml in {setup.place}: nothing to compare .env with")
        return
    found = [seen for name in _keys(_text(file)) if (seen := _seen(name, read)) is not None]
    yield from found
    if not found:
        yield ok(f"{file}: every key is one that docker-compose reads")


def _seen(name: str, read: set[str]) -> Seen | None:
    if name in read or name in _OF_COMPOSE:
        return None
    if name in _OF_A_CONTAINER:
        return warning(
            ".env with what docker-compose reads",
            f"{name}, which it does not hand on to a container",
            "write it into the `environment` of the service in docker-compose.yml",
        )
    if near := difflib.get_close_matches(name, sorted(read), n=1, cutoff=_NEAR):
        return problem(
            ".env with keys that something reads",
            f"{name}, which nothing does; did you mean {near[0]}?",
            "correct it; .env.example has what there is",
        )
    return None


def _keys(text: str) -> list[str]:
    return [match[1] for line in text.splitlines() if (match := _LINE.match(line))]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
