#!/usr/bin/env bash
# Sets up .venv beside this checkout: scripts/prepare.sh terminal|dev
# Finds a Python from 3.11 to 3.13 and installs the locked packages, once for each lock, and `candlewell` with them.
set -euo pipefail
cd "$(dirname "$0")/.."
lock="requirements/${1:?which packages: terminal or dev}.txt"

python_that_serves() {
  local candidate
  for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
    [ -n "$candidate" ] && "$candidate" -c \
      'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null &&
      printf '%s' "$candidate" && return
  done
  echo "prepare.sh: expected Python 3.11, 3.12 or 3.13 with its venv module, found none;" \
    "install one (Debian: apt install python3-venv) or name it with PYTHON=" >&2
  return 2
}

stamp=.venv/installed-$1
if ! cmp -s "$lock" "$stamp" || ! .venv/bin/python -c '' 2>/dev/null; then
  python=$(python_that_serves)
  echo "prepare.sh: installing $lock into .venv" >&2
  [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$lock"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
  cp "$lock" "$stamp"
fi
