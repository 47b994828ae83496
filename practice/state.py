"""What the practice exchange remembers across a restart: one small SQLite file, or memory.

One process writes it, so Python's own sqlite3 with its rollback journal is enough. Amounts and
prices are decimal numbers in text, which keeps them exact.
"""

from __future__ import annotations

import sqlite3

from common.clock import MarketClock
from common.errors import ConfigurationError
from practice import ledger

_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    anchor_market_ms INTEGER NOT NULL,
    anchor_wall_ms INTEGER NOT NULL,
    speed REAL NOT NULL,
    seed INTEGER NOT NULL
) STRICT;
"""


def open_state(file: str | None) -> sqlite3.Connection:
    """The connection to the state in `file`, or in memory where there is none.

    Transactions are explicit: use `with connection:` after a `BEGIN`.

    Raises:
        ConfigurationError: the file is no state of this program, or cannot be written.
    """
    try:
        connection = sqlite3.connect(file or ":memory:", isolation_level=None, timeout=1.0)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in {0, _VERSION}:
            raise ConfigurationError(
                f"--state: expected a state of version {_VERSION}, found {found} in {file}; "
                "another file begins anew"
            )
        connection.executescript(
            f"BEGIN EXCLUSIVE; {_SCHEMA} {ledger.SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;"
        )
    except sqlite3.Error as error:
        raise ConfigurationError(
            f"--state: expected a file that this process alone can write, found {file}: {error}"
        ) from None
    return connection


def load_clock(connection: sqlite3.Connection) -> tuple[MarketClock, int] | None:
    """The clock and the seed of an earlier run, if there was one."""
    row = connection.execute(
        "SELECT anchor_market_ms, anchor_wall_ms, speed, seed FROM clock"
    ).fetchone()
    return (MarketClock(row[0], row[1], row[2]), row[3]) if row else None


def save_clock(connection: sqlite3.Connection, clock: MarketClock, seed: int) -> None:
    """Keeps the clock and the seed for the next run."""
    connection.execute(
        "INSERT INTO clock (one, anchor_market_ms, anchor_wall_ms, speed, seed) VALUES (1, ?, ?, ?, ?)"
        " ON CONFLICT (one) DO UPDATE SET anchor_market_ms = excluded.anchor_market_ms,"
        " anchor_wall_ms = excluded.anchor_wall_ms, speed = excluded.speed, seed = excluded.seed",
        (clock.exchange_time, clock.wall_time, clock.speed, seed),
    )
