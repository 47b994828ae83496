#!/usr/bin/env bash
# Sets up what the tests need and runs them: style, types, import rules, then all tests but the container
# ones. Arguments go to pytest: scripts/test.sh tests/trader -k rsi
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/prepare.sh dev
.venv/bin/ruff format --check .
.venv/bin/ruff check .
.venv/bin/mypy
.venv/bin/lint-imports
exec .venv/bin/pytest -m "not containers" "$@"
