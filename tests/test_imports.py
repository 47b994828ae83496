"""What import-linter cannot see: the one file at the top, and what a process really loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def loaded_by(module: str) -> set[str]:
    """The top-level names of everything that importing a module loads, in a process of its own."""
    script = f"import {module}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_schema_knows_no_daemon_and_loads_no_migration_library():
    loaded = loaded_by("schema")
    assert not loaded & {"backfiller", "trader", "practice", "alembic", "ccxt", "pandas"}


def test_a_paper_trader_loads_no_exchange_library_and_no_scheduler():
    assert not loaded_by("trader.composition") & {
        "ccxt",
        "aiohttp",
        "apscheduler",
        "alembic",
        "polars",
    }


def test_the_backfiller_loads_neither_pandas_nor_what_reads_files():
    assert not loaded_by("backfiller.__main__") & {"pandas", "ta", "alembic", "polars"}


def test_the_command_for_people_loads_a_part_only_when_it_is_asked_for():
    assert not loaded_by("candlewell.__main__") & {"pandas", "rich", "ccxt", "polars", "alembic"}
    assert not loaded_by("candlewell.control_commands") & {"pandas", "rich", "ccxt", "polars"}
