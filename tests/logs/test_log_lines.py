"""What a daemon writes to stderr: one JSON object a line or words for a person, whoever speaks, and never a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SECRET = "k/3+tops3cret=="
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIJ0Yd4dcWPnOoKmAKbZq1\nf8Q5lP3xYw==\n-----END EC PRIVATE KEY-----"
# Everybody who may speak in a daemon, each once.
SPEAKERS = """
import asyncio, logging, os, sys, threading, warnings
from common import log
log.set_up(os.environ, strategy_id="a")
import structlog
structlog.get_logger().info("an_event", amount=1)
logging.getLogger("apscheduler.executors").warning("a job %s", "missed")
logging.getLogger("alembic.runtime").error("a migration")
warnings.warn("a library is getting old")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("ccxt").exception("a library's traceback")

class Odd:
    def __del__(self):
        raise ValueError("in a destructor")
Odd()

async def fails():
    raise RuntimeError("nobody waited for this")
async def main():
    asyncio.create_task(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
asyncio.run(main())

def thread():
    raise RuntimeError("in a thread")
started = threading.Thread(target=thread)
started.start()
started.join()
raise RuntimeError("the end\\nin two lines")
"""


def run(program: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=kept | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_is_one_json_object_whoever_speaks():
    done = run(SPEAKERS, LOG_FORMAT="json")
    assert done.returncode == 1
    lines = objects(done.stderr)
    events = [line["event"] for line in lines]
    assert events[:3] == ["an_event", "a job missed", "a migration"]
    assert "UserWarning: a library is getting old" in events[3]
    assert sorted(event.splitlines()[0] for event in events[4:]) == [
        "Task exception was never retrieved",
        "a library's traceback",
        "crashed",
        "crashed",
        "error_ignored",
    ]
    for line in lines:
        assert {"event", "level", "timestamp", "strategy_id"} <= line.keys(), line
    told = " ".join(line.get("exception", "") for line in lines)
    for words in (
        "ZeroDivisionError",
        "in a destructor",
        "nobody waited",
        "in a thread",
        "the end",
    ):
        assert words in told
    assert lines[1]["logger"] == "apscheduler.executors"
    assert lines[-1]["exception"].startswith("Traceback (most recent call last):")


def test_for_a_person_a_traceback_is_a_traceback_without_the_values_of_variables():
    program = SPEAKERS.replace(
        'raise RuntimeError("the end', 'local = "in" + "side"\nraise RuntimeError("the end'
    )
    done = run(program, LOG_FORMAT="text")
    assert "an_event" in done.stderr
    assert "RuntimeError: the end\nin two lines" in done.stderr
    assert "inside" not in done.stderr
    with pytest.raises(json.JSONDecodeError):
        objects(done.stderr)


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("given", ["variable", "file"])
@pytest.mark.parametrize("secret", [SECRET, PEM])
def test_a_secret_is_never_in_a_line_not_in_a_traceback_and_not_in_a_url(
    form, given, secret, tmp_path
):
    file = tmp_path / "secret"
    file.write_text(f"{secret}\n")
    name = "COINBASE_API_SECRET"
    settings = {name: secret} if given == "variable" else {f"{name}_FILE": str(file)}
    program = f"""
import os, logging, urllib.parse
from common import log
log.set_up(os.environ)
import structlog
secret = {secret!r}
structlog.get_logger().info("asked", url="https://x/?key=" + urllib.parse.quote(secret), given=dict(secret=secret))
logging.getLogger("ccxt").error("refused: %s", secret)
raise RuntimeError("no answer to " + secret)
"""
    done = run(program, LOG_FORMAT=form, **settings)
    assert done.stderr.count("(not shown)") >= 3, done.stderr
    for part in (*secret.splitlines()[1:-1], SECRET, "f8Q5lP3xYw"):
        assert part not in done.stderr
    if form == "json":
        assert len(objects(done.stderr)) == 3


def test_what_is_no_secret_is_left_as_it_is():
    program = "from common import log; log.set_up(); import structlog; structlog.get_logger().info('hourly')"
    done = run(
        program, LOG_FORMAT="json", BINANCE_API_KEY="hour", BINANCE_API_URL="hourly-and-more"
    )
    assert objects(done.stderr)[0]["event"] == "hourly"


# The daemons themselves, each made to crash and to warn; nothing but JSON may come of it.
CRASHES = {
    "backfiller": "import backfiller.daemon as m, warnings\nasync def run(self, stopped):\n"
    "    warnings.warn('old')\n    raise RuntimeError('a mistake')\nm.Daemon.run = run\n",
    "trader": "import trader.loop as l, trader.composition as m, warnings\ndef run(*_, **__):\n"
    "    warnings.warn('old')\n    raise RuntimeError('a mistake')\nm.run = run\n",
}


@pytest.mark.parametrize("module", CRASHES)
def test_a_daemon_that_crashes_says_so_in_json(module, database_url):
    program = f"{CRASHES[module]}import sys\nfrom {module}.__main__ import main\nsys.exit(main([]))"
    done = run(program, LOG_FORMAT="json", DATABASE_URL=database_url)
    assert done.returncode == 1
    lines = objects(done.stderr)
    assert any("UserWarning: old" in line["event"] for line in lines)
    assert lines[-1]["event"] == "crashed"
    assert "RuntimeError: a mistake" in lines[-1]["exception"]


def test_the_practice_exchange_speaks_json_too():
    program = (
        "import sys, threading, os, signal\nsys.argv = ['practice', '--port', '0']\n"
        "threading.Timer(3, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()\n"
        "from practice.__main__ import main\nsys.exit(main())"
    )
    done = run(program, LOG_FORMAT="json")
    assert done.returncode == 0, done.stderr
    assert "practice exchange is open" in objects(done.stderr)[0]["event"]


@pytest.mark.parametrize("module", ["backfiller", "trader"])
def test_a_wrong_format_is_a_mistake_with_a_name(module, database_url):
    done = run(
        f"import sys\nfrom {module}.__main__ import main\nsys.exit(main([]))",
        LOG_FORMAT="jsn",
        DATABASE_URL=database_url,
    )
    assert done.returncode == 2
    assert done.stderr == f"{module}: LOG_FORMAT: expected one of text, json, found 'jsn'\n"
