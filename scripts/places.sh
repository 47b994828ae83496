# Sourced by backup.sh and restore.sh, in the project's folder: where the data and the backups are, and what runs there.

# As docker-compose does: the environment first, then .env.
setting() {
  local name=$1 value=${!1:-}
  if [ -z "$value" ] && [ -f .env ]; then
    value=$(sed -n "s/^$name=//p" .env | tail -n 1 | tr -d '\r')
    value=${value#[\"\']} value=${value%[\"\']}
  fi
  printf '%s' "$value"
}

DATA_DIR=$(setting DATA_DIR) BACKUP_DIR=$(setting BACKUP_DIR)
export DATA_DIR=${DATA_DIR:-./data}
export BACKUP_DIR=${BACKUP_DIR:-${DATA_DIR%/}-backups}

# A name without a slash is a Docker volume, which only the image sees.
run_candlewell() {
  if [ -x .venv/bin/python ] && [[ $DATA_DIR == */* && $BACKUP_DIR == */* ]]; then
    export DATABASE_URL=${DATABASE_URL:-sqlite:///$DATA_DIR/trading.db}
    exec .venv/bin/python -m candlewell "$@"
  fi
  local compose=(docker-compose) said
  command -v docker-compose >/dev/null || compose=(docker compose)
  # Folders that Docker has just made are root's: they are given to the user that the suite runs as.
  said=$("${compose[@]}" run --rm --no-deps -T data-folder 2>&1) &&
    said=$("${compose[@]}" run --rm --no-deps -T backup-folder 2>&1) || { printf '%s\n' "$said" >&2; return 1; }
  exec "${compose[@]}" run --rm --no-deps -T backup "$@"
}
