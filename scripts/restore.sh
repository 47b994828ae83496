#!/usr/bin/env bash
# Puts a backup in the database's place, when nothing runs: scripts/restore.sh [BACKUP|latest]
# Tries the newest one, and changes nothing: scripts/restore.sh --drill
#
# Uses the Python of .venv where there is one, else the image. Arguments: scripts/restore.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
run_candlewell restore "$@"
