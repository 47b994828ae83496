#!/usr/bin/env bash
# The whole suite in one command, on a market of its own: sets up what it needs, then starts a practice
# exchange, the backfiller and three traders, and shows what they do until Ctrl-C. No keys, no Docker.
# Arguments: scripts/demo.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/prepare.sh terminal
exec .venv/bin/python -m scripts.demo "$@"
