"""The set-up that is examined: an environment, a folder with the compose file, and a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from common.clock import wall_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.database import Database


@dataclass(frozen=True, slots=True)
class Setup:
    """What the checks look at. `now` is this machine's time in milliseconds UTC.

    `database` is for reading alone; it may be of another version, or damaged.
    """

    environment: Mapping[str, str]
    path: Path
    database: Database
    is_deep: bool = False
    place: Path = field(default_factory=Path.cwd)  # where .env and docker-compose.yml lie
    now: int = field(default_factory=wall_now)
