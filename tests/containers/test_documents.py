"""The documents' lines of docker-compose, as they are written, in a folder like a reader's checkout."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.backfiller_files.samples import candles, write_binance
from tests.containers.running import ROOT, TRADERS, ContainerSuite, wait_until
from tests.documents.accounts import Kind, kind_of
from tests.documents.blocks import blocks, commands, documents, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.documents.blocks import Command

pytestmark = pytest.mark.containers
PRACTICE = "docker-compose -f docker-compose.yml -f docker-compose.practice.yml up"


def typed(document: str) -> list[Command]:
    """But for the line that starts the suite: the fixture types that one."""
    return [
        command
        for command in commands(document)
        if kind_of(command) is Kind.CONTAINER and command.text != PRACTICE
    ]


class Reader:
    """A folder, what its reader has written into it, and the suite that was started there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("docker-compose.yml", "docker-compose.practice.yml", "config", "scripts"):
            take = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            take(ROOT / name, folder / name)
        (folder / "files").mkdir()
        write_binance(folder / "files/BTCUSDT-1h-2024-01.zip", candles(24 * 31))
        self._write_what_is_written()
        self.suite = ContainerSuite(
            f"candlewell-reader-{os.getpid()}", folder / "data", folder=folder
        )
        self.suite.environment["PRACTICE_SPEED"] = "120"  # nobody waits for a trade here
        shim = folder / "bin/docker-compose"  # the documents say that `docker compose` does too
        shim.parent.mkdir()
        shim.write_text('#!/bin/sh\nexec docker compose "$@"\n', encoding="utf-8")
        shim.chmod(0o755)
        self._environment = {
            **self.suite.environment,
            "PATH": f"{shim.parent}:{os.environ['PATH']}",
            "COMPOSE_FILE": "docker-compose.yml:docker-compose.practice.yml",
        }

    def _write_what_is_written(self) -> None:
        """The strategy of docs/STRATEGIES.md, and the traders that documents add to the compose file."""
        traders = ""
        for block in [*blocks("README.md"), *blocks("docs/STRATEGIES.md")]:
            if match := re.match(r"# (config/\S+)\n", block.text):
                (self.folder / match[1]).parent.mkdir(exist_ok=True)
                (self.folder / match[1]).write_text(block.text, encoding="utf-8")
            elif re.match(r" *trader-[\w-]+:\n", block.text):
                traders += textwrap.indent(textwrap.dedent(block.text), "  ")
        assert "trader-cross-btc" in traders
        compose = self.folder / "docker-compose.yml"
        text = compose.read_text(encoding="utf-8")
        compose.write_text(
            text.replace("\nservices:\n", f"\nservices:\n{traders}\n", 1), encoding="utf-8"
        )

    def start(self, line: str, log: Path) -> subprocess.Popen[str]:
        """What a shell makes of that line; its output goes to a file."""
        with log.open("w") as output:
            return subprocess.Popen(
                ["bash", "-c", line],
                cwd=self.folder,
                env=self._environment,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )

    def watch(self, line: str) -> subprocess.CompletedProcess[str]:
        """The same of a line that goes on at a terminal until Ctrl-C, which is typed when it shows a trader."""
        terminal, inside = pty.openpty()
        os.set_blocking(terminal, False)
        running = subprocess.Popen(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self._environment,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        shown: list[bytes] = []

        def shows_a_trader() -> bool:
            with contextlib.suppress(BlockingIOError):
                shown.append(os.read(terminal, 1 << 16))
            return TRADERS[0].encode() in b"".join(shown)

        try:
            wait_until(f"{line} to show a trader", shows_a_trader)
            os.write(terminal, b"\x03")
            status = running.wait(timeout=60)
        finally:
            running.kill()
            os.close(terminal)
        return subprocess.CompletedProcess(
            line, status, b"".join(shown).decode(errors="replace"), ""
        )

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-ec", line],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


# What says by its status how things are, and not only whether it worked.
ANSWERS = {
    "docker-compose run --rm cli status --watch": {0, 130},
    "docker-compose run --rm cli status": {0, 1},
}


def statuses(line: str) -> set[int]:
    return next((those for begins, those in ANSWERS.items() if line.startswith(begins)), {0})


@pytest.fixture(scope="module")
def reader(image, tmp_path_factory) -> Iterator[Reader]:
    """The suite was started by the README's line for the practice exchange, and ends by Ctrl-C."""
    assert PRACTICE in [command.text for command in commands("README.md")]
    made = Reader(tmp_path_factory.mktemp("reader"))
    running = made.start(PRACTICE, made.folder / "up.log")
    try:
        services = ("backfiller", *TRADERS, "trader-cross-btc")
        wait_until("all containers", lambda: all(map(made.suite.container, services)))
        for service in services:
            made.suite.wait_for_health(service)
        judged = "SELECT count(DISTINCT strategy_id) FROM signals WHERE strategy_id IN (?, ?, ?)"
        wait_until("signals", lambda: ask(made, judged, *TRADERS) == 3)
        yield made
        os.killpg(running.pid, signal.SIGINT)
        running.wait(timeout=120)  # with a status that differs between versions of Compose
    finally:
        running.kill()
        made.suite.down()


def ask(reader: Reader, query: str, *values: str) -> object:
    """One value of the database, read by our own engine in the image's way."""
    program = (
        "import sys, schema; from common.engine import load_driver;"
        "connection = load_driver().connect('file:data/trading.db?mode=ro', uri=True);"
        "print(connection.execute(sys.argv[1], sys.argv[2:]).fetchone()[0])"
    )
    return int(reader.suite.python("backfiller", program, query, *values))


@pytest.mark.parametrize("document", [name for name in documents() if typed(name)])
def test_a_documents_lines_work_as_they_are_written(reader, document):
    for command in typed(document):
        line = command.in_folder(reader.folder)
        done = reader.watch(line) if line.endswith(" --watch") else reader.run(line)
        assert done.returncode in statuses(line), f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr, command
        if line != command.text:  # for cron, which mails whatever is printed
            assert done.stdout == "", command


def test_what_the_lines_made_is_there(reader):
    assert (reader.folder / "data/report.html").stat().st_size > 10_000
    assert list((reader.folder / "data").glob("binance_BTC-USDT_1h.*"))
    imported = "SELECT count(*) FROM ohlcv_data WHERE timestamp < 1706745600000"  # 2024-02
    assert ask(reader, imported) == 24 * 31
    assert ask(reader, "SELECT count(*) FROM controls WHERE scope = '*' AND state = 'running'") == 1


SPAN = re.compile(r"`(?:[A-Z_]+=\S+ )*docker-compose ([^`]*)`")


@pytest.mark.usefixtures("engine")
def test_a_line_in_the_middle_of_a_sentence_names_a_command_and_options_that_there_are():
    """Those are not executed: most say what is done with a real exchange."""
    spans = {" ".join(span.split()) for name in documents() for span in SPAN.findall(text_of(name))}
    assert len(spans) >= 3
    for span in spans:
        words = [word for word in span.split() if word not in {"-f"} and ".yml" not in word]
        if not words:
            continue
        asked = ["docker", "compose", words[0], "--help"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        known = set(re.findall(r"(?<![\w-])-{1,2}[a-z][a-z-]*", done.stdout))
        assert done.returncode == 0, span
        own = words[1:] if words[0] not in {"run", "exec"} else []  # the rest is the service's
        assert {word for word in own if word.startswith("-")} <= known, span
