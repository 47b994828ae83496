"""A live trader in a container, rehearsed on the practice exchange by the lines of docs/STRATEGIES.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.containers import probes
from tests.containers.running import ROOT, ContainerSuite, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.containers
NAME = "cross-btc-live"
FILES = (
    *("-f", "docker-compose.yml", "-f", "docker-compose.practice.yml"),
    *("-f", "docker-compose.rehearsal.yml"),
)


def blocks(kind: str) -> list[str]:
    """The code blocks of that kind in the document, as they read without their indentation."""
    text = (ROOT / "docs/STRATEGIES.md").read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{kind}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [
        "\n".join(line.removeprefix(indent) for line in block.splitlines()) + "\n"
        for indent, block in found
    ]


def prepared(folder: Path) -> Path:
    """A folder with what the document has its reader write, beside the files of the checkout."""
    for name in ("docker-compose.yml", "docker-compose.practice.yml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "config", folder / "config")
    written = {
        match[1]: block
        for block in [*blocks("python"), *blocks("yaml")]
        if (match := re.match(r"# (\S+)\n", block))
    }
    for name in ("config/strategies/cross.py", "config/cross.yml", "docker-compose.rehearsal.yml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(written[name], encoding="utf-8")
    service = next(block for block in blocks("yaml") if block.lstrip().startswith(f"{NAME}:"))
    secrets = next(block for block in blocks("yaml") if block.startswith("secrets:"))
    compose = folder / "docker-compose.yml"
    text = compose.read_text(encoding="utf-8")
    service = textwrap.indent(textwrap.dedent(service), "  ")
    compose.write_text(
        text.replace("\nservices:\n", f"\nservices:\n{service}\n", 1) + f"\n{secrets}",
        encoding="utf-8",
    )
    (folder / "secrets").mkdir()
    for name, secret in (("key", "practice-key"), ("secret", "practice-secret")):
        (folder / "secrets" / f"binance_api_{name}").write_text(secret, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def rehearsal(image, tmp_path_factory) -> Iterator[ContainerSuite]:
    folder = prepared(tmp_path_factory.mktemp("rehearsal"))
    suite = ContainerSuite(
        f"candlewell-live-{os.getpid()}", tmp_path_factory.mktemp("data"), FILES, folder
    )
    suite.environment["PRACTICE_SPEED"] = "1200"
    try:
        suite.compose("up", "--detach", "--no-build", NAME, "backfiller")
        suite.wait_for_health(NAME)
        yield suite
    finally:
        suite.down()


def ask(suite: ContainerSuite, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{suite.data / 'trading.db'}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_live_trader_trades_by_the_documents_lines(rehearsal):
    filled = (
        "SELECT count(*) FROM orders WHERE strategy_id = 'cross-btc-live' AND status = 'filled'"
    )
    wait_until("an order to be filled", lambda: ask(rehearsal, filled) != [(0,)])
    ((mode,),) = ask(rehearsal, "SELECT mode FROM strategy_metadata WHERE strategy_id LIKE '%live'")
    assert mode == "live"
    known = "SELECT count(*) FROM orders WHERE status = 'filled' AND exchange_order_id IS NULL"
    assert ask(rehearsal, known) == [(0,)]


def test_its_secrets_are_in_files_of_its_own_and_nowhere_else(rehearsal):
    about = rehearsal.inspect(NAME)
    assert "practice-secret" not in str(about)
    assert "practice-secret" not in rehearsal.logs(NAME)
    assert "practice-secret" not in str(ask(rehearsal, "SELECT * FROM strategy_metadata"))
    assert about["HostConfig"]["ReadonlyRootfs"]
    assert rehearsal.python(NAME, "print(open('/run/secrets/binance_api_key').read())").strip() == (
        "practice-key"
    )


def test_the_doctor_asks_the_exchange_what_its_key_may_do(rehearsal):
    done = rehearsal.compose(
        "run", "--rm", "--no-deps", NAME, "candlewell", "doctor", "--json", check=False
    )
    findings = json.loads(done.stdout)["findings"]
    told = {one["check"]: one for one in findings}
    assert told["withdrawals"]["found"] == "the key of binance cannot withdraw"
    assert "practice-secret" not in done.stdout + done.stderr
    wrong = [one for one in findings if one["level"] == "problem"]
    assert (wrong, done.returncode) == ([], 0)


def test_it_may_do_no_more_than_a_paper_trader_but_speak_to_its_exchange(rehearsal):
    probes.require_no_rights(rehearsal, NAME)
    probes.require_only_data_is_writable(rehearsal, NAME)
    assert probes.asked(rehearsal, NAME, probes.PORTS) == []
    assert not any(rehearsal.inspect(NAME)["NetworkSettings"]["Ports"].values())


def test_a_kill_changes_nothing_that_was_traded(rehearsal):
    before = ask(rehearsal, "SELECT client_order_id FROM orders WHERE status = 'filled'")
    rehearsal.signal(NAME, "SIGKILL")
    rehearsal.wait_for_health(NAME)
    running = f"SELECT status FROM strategy_metadata WHERE strategy_id = '{NAME}'"
    wait_until("it to run", lambda: ask(rehearsal, running) == [("running",)])
    after = ask(rehearsal, "SELECT client_order_id FROM orders WHERE status = 'filled'")
    assert set(before) <= set(after)
    assert ask(rehearsal, "SELECT count(*) FROM controls") == [(0,)]
