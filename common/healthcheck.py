"""A container's health check: is the daemon's last heartbeat young enough?

    python -m common.healthcheck [SECONDS]

exits 0 if HEARTBEAT_FILE was touched within SECONDS (30 unless told), else 1 with one line. A daemon that
hangs stops touching it. Only the standard library is loaded: it runs often, in every container.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def main(arguments: list[str]) -> int:
    """The program. Returns its exit status."""
    limit_s = float(arguments[0]) if arguments else 30.0
    file = os.environ.get("HEARTBEAT_FILE")
    if not file:
        return _unhealthy("HEARTBEAT_FILE: expected the daemon's heartbeat file, found none")
    try:
        age_s = time.time() - Path(file).stat().st_mtime
    except OSError as error:
        return _unhealthy(f"expected a heartbeat in {file}, found: {error.strerror}")
    if age_s > limit_s:
        return _unhealthy(
            f"expected a heartbeat within {limit_s:.0f} s, found one {age_s:.0f} s old"
        )
    return 0


def _unhealthy(why: str) -> int:
    print(why, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
