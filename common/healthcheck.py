"""A container's health check: what does the daemon say of itself, and is that still true?

    python -m common.healthcheck

exits 0 if the heartbeat in HEARTBEAT_FILE is good, else 1; the line that it prints says what was achieved,
or what is wrong (`docker inspect` shows it). Only the standard library is loaded: it runs often, in every
container.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main() -> int:
    """The program. Returns its exit status."""
    file = os.environ.get("HEARTBEAT_FILE")
    if not file:
        return _unhealthy("HEARTBEAT_FILE: expected the daemon's heartbeat file, found none")
    try:
        told = json.loads(Path(file).read_text(encoding="utf-8"))
        said = f"{told['state']}: {told['detail'] or told['achieved']}".removesuffix(": ")
        age_s = time.monotonic() - told["beat"]
        good_for_s = told["good_until"] - told["beat"]
        problem = told["problem"]
    except OSError as error:
        return _unhealthy(f"expected a heartbeat in {file}, found: {error.strerror}")
    except (ValueError, KeyError, TypeError) as error:
        return _unhealthy(f"expected a heartbeat in {file}, found another content: {error}")
    if not 0 <= age_s <= good_for_s:  # one of the future is from before the machine was started
        since = f"{age_s:.0f} s old" if age_s > 0 else "of another start of this machine"
        return _unhealthy(
            f"expected a heartbeat within {good_for_s:.0f} s, found one {since}: "
            f"the daemon hangs; it last said {said!r}"
        )
    if problem:
        return _unhealthy(problem)
    print(said)  # noqa: T201
    return 0


def _unhealthy(why: str) -> int:
    print(f"unhealthy: {why}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
