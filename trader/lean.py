"""Keeps out of a trader's memory what it never uses.

A hundred traders run on one machine, so a megabyte here is a hundred. Nothing changes but what is loaded:
structlog would take in `rich` where it is installed, 7 MB to draw tracebacks; numpy's OpenBLAS would start a
thread per core for matrices that nobody multiplies.
"""

from __future__ import annotations

import os
import sys


def keep_out() -> None:
    """Takes effect if it is called before anything else is imported, by the process's main program."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # import raises ImportError
