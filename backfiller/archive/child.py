"""Runs `archive` as a process of its own, so that the daemon never loads what it needs for an hour a month."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TERMINATE_S = 30.0


async def archive_in_child(environment: Mapping[str, str]) -> tuple[int, str]:
    """Archives once; returns the exit status and what was said of problems.

    A cancelled one is asked to end, and killed if it does not: both are safe at any moment.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "backfiller",
        "archive",
        env=dict(environment),
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        _, problems = await child.communicate()
    except asyncio.CancelledError:
        child.terminate()
        try:
            await asyncio.wait_for(child.wait(), _TERMINATE_S)
        except TimeoutError:
            child.kill()
        raise
    return child.returncode or 0, problems.decode(errors="replace").strip()
