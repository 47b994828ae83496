#!/usr/bin/env bash
# Writes requirements/*.txt anew from pyproject.toml: every package pinned, with its hashes.
# Needs uv. The sets nest (trader < suite < terminal < dev), so each is compiled under the largest.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-annotate --custom-compile-command scripts/lock.sh pyproject.toml "$@"
}
lock --extra suite --extra terminal --extra dev --upgrade --output-file requirements/dev.txt
lock --extra suite --extra terminal --constraint requirements/dev.txt --output-file requirements/terminal.txt
lock --extra suite --constraint requirements/dev.txt --output-file requirements/suite.txt
lock --constraint requirements/dev.txt --output-file requirements/trader.txt
# Compiled by .ci/run alone: it has no wheels, and nobody else is to need a compiler.
echo "tulipy==0.4.0" | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-annotate --no-deps --custom-compile-command scripts/lock.sh --output-file requirements/oracle.txt -
