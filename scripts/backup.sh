#!/usr/bin/env bash
# A consistent, checked, dated copy of the database and its archive, made while everything runs. For cron:
#
#   0 3 * * *  /path/to/candlewell/scripts/backup.sh --quiet
#
# Uses the Python of .venv where there is one, else the image. Arguments: scripts/backup.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
run_candlewell backup "$@"
