"""Keeps out of a trader's memory what it never uses. Imported before everything else.

A hundred traders run on one machine, so a megabyte here is a hundred. Nothing changes but what is loaded:
structlog would take in `rich` where it is installed, to draw tracebacks; numpy's OpenBLAS would start a thread
per core for matrices that nobody multiplies.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # None: import raises ImportError
