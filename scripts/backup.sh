#!/usr/bin/env bash
# A consistent, checked, dated copy of the database, made while everything runs. For cron:
#
#   0 3 * * *  /path/to/candlewell/scripts/backup.sh --quiet
#
# Uses the Python of .venv where there is one, else the image. Arguments: scripts/backup.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."
# As docker-compose does: the environment first, then .env. A name without a slash is a Docker volume.
if [ -z "${DATA_DIR:-}" ] && [ -f .env ]; then
  DATA_DIR=$(sed -n 's/^DATA_DIR=//p' .env | tail -n 1 | tr -d '\r')
  DATA_DIR=${DATA_DIR#[\"\']} DATA_DIR=${DATA_DIR%[\"\']}
fi
export DATA_DIR="${DATA_DIR:-./data}"
if [ -x .venv/bin/python ] && [[ $DATA_DIR == */* ]]; then
  exec .venv/bin/python -m scripts.backup "$@"
fi
compose=(docker-compose)
command -v docker-compose >/dev/null || compose=(docker compose)
exec "${compose[@]}" run --rm --no-deps -T -e DATA_DIR=/app/data schema python -m scripts.backup "$@"
