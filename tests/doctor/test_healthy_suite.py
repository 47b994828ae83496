"""A suite that runs as it should gives the doctor nothing to find."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from scripts.local_suite import LocalSuite
from tests.doctor.conftest import ROOT
from tests.health.daemon import until

TRADER = {
    "EXCHANGE": "binance",
    "SYMBOL": "BTC/USDT",
    "TIMEFRAME": "1m",
    "RSI_PERIOD": "2",
    "CONFIG_FILE": str(ROOT / "config/trader.yml"),
}


def test_the_doctor_finds_nothing_wrong_with_a_running_suite(tmp_path):
    config = tmp_path / "backfiller.yml"
    config.write_text("history: 3h\n", encoding="utf-8")
    with LocalSuite(tmp_path / "suite", speed=60.0) as suite:
        environment = {**os.environ, "DATABASE_URL": suite.database_url}
        environment |= {"BACKFILLER_CONFIG": str(config)}
        suite.start_exchange()
        suite.start_backfiller(BACKFILLER_CONFIG=str(config))
        suite.start_trader("one", **TRADER)
        told = {}

        def finds_nothing() -> bool:
            suite.require_running()
            done = subprocess.run(
                [sys.executable, "-m", "candlewell", "doctor", "--json", "--deep"],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            told.update(json.loads(done.stdout))
            levels = {one["level"] for one in told["findings"]}
            names = {one["found"] for one in told["findings"] if one["check"] == "daemons"}
            return (
                done.returncode == 0 and levels <= {"ok", "note"} and "2 daemons heard of" in names
            )

        try:
            until(finds_nothing, "a doctor who finds nothing")
        except AssertionError as error:
            raise AssertionError(f"{error}: {json.dumps(told, indent=1)}") from None
        suite.stop("one")
        suite.stop("backfiller")
