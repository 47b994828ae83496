"""docs/OPERATIONS.md, followed word for word: from an empty machine to a restored fleet, on the practice exchange."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from typing import TYPE_CHECKING

import pytest

import schema
from candlewell.backup.catalogue import backups_in
from tests.containers.running import ROOT, TRADERS, ContainerSuite, wait_until
from tests.e2e import books

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.containers

LEDGERS = {
    "signals": "strategy_id, timestamp, signal, price, decision",
    "orders": "order_id, strategy_id, client_order_id, side, amount",
    "trades": "trade_id, strategy_id, order_id, exchange_trade_id, side, amount, price, fee, timestamp",
}
DEADLINE_S = 600.0  # the machine may have much else to do
Books = dict[str, set[tuple[object, ...]]]


def commands() -> list[str]:
    """Every command of the document, in order; of the lines for cron, what cron runs."""
    text = (ROOT / "docs/OPERATIONS.md").read_text(encoding="utf-8")
    found = []
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        lines = block.splitlines()
        if language == "text":
            lines = [line.split(maxsplit=5)[5] for line in lines if line[:1].isdigit()]
        found += lines
    return found


def has(command: str, words: str) -> bool:
    return words in command


class Reader:
    """Somebody with Docker, a checkout and nothing else, who types what the document says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._exchange = folder.with_name("exchange.db")
        self.suite = ContainerSuite(
            f"candlewell-operations-{os.getpid()}", self.data, files=(), folder=folder
        )
        del self.suite.environment["DATA_DIR"]
        shims = folder.with_name("bin")
        shims.mkdir()
        if shutil.which("docker-compose") is None:  # the document says that both are the same
            (shims / "docker-compose").write_text('#!/bin/sh\nexec docker compose "$@"\n')
            (shims / "docker-compose").chmod(0o755)
        self.suite.environment["PATH"] = f"{shims}:{os.environ['PATH']}"

    def type(self, command: str) -> str:
        """What it prints; a command that fails is a failure of the document."""
        command = command.replace("/path/to/candlewell", str(self.folder))
        done = subprocess.run(
            command,
            shell=True,
            executable="/bin/bash",
            cwd=self.folder,
            env=self.suite.environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        # `status` ends with 1 if something wants a person, as an exchange that has just been started does.
        allowed = {0, 1} if has(command, "cli status") else {0}
        assert done.returncode in allowed, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def books(self) -> Books:
        """Every row of the ledgers that is never changed once it is written."""
        connection = sqlite3.connect(f"file:{self.data / 'trading.db'}?mode=ro", uri=True)
        try:
            return {
                table: set(connection.execute(f"SELECT {columns} FROM {table}").fetchall())
                for table, columns in LEDGERS.items()
            }
        finally:
            connection.close()

    def wait_for_trades(self, more: int = 0) -> None:
        """Until each trader has traded, and has judged that many more candles than now."""

        def signals() -> dict[str, int]:
            return {
                name: sum(row[0] == name for row in self.books()["signals"]) for name in TRADERS
            }

        wait_until(
            "each trader's trades",
            lambda: {row[1] for row in self.books()["trades"]} >= set(TRADERS),
            DEADLINE_S,
        )
        before = signals()
        wait_until(
            f"{more} more signals of each",
            lambda: all(count >= before[name] + more for name, count in signals().items()),
            DEADLINE_S,
        )

    def wait_until_healthy(self) -> None:
        """As `docker-compose ps` shows it."""
        running = self.type("docker-compose ps --services").split()
        for service in running:
            if self.suite.inspect(service)["Config"].get("Healthcheck"):
                wait_until(
                    f"{service} to be healthy",
                    lambda service=service: self.suite.health(service) == "healthy",  # type: ignore[misc]
                    DEADLINE_S,
                )

    def keep_the_exchange(self) -> None:
        """A real exchange does not lie in the data folder; the practice exchange does."""
        shutil.copy2(self.data / "practice.db", self._exchange)

    def bring_the_exchange_back(self) -> None:
        target = self.data / "practice.db"
        shutil.copy2(self._exchange, target)
        owner = self.data.stat()
        if os.geteuid() == 0:
            os.chown(target, owner.st_uid, owner.st_gid)


@pytest.fixture
def reader(image, tmp_path) -> Iterator[Reader]:
    """A clone of the project as it is here, with nothing that is not in it."""
    upstream, clone = tmp_path / "upstream", tmp_path / "candlewell"
    upstream.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (upstream / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, upstream / name)
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    for words in (
        ("init", "--quiet"),
        ("add", "--all", "--force"),
        (*identity, "commit", "--quiet", "--message", "A release"),
        ("clone", "--quiet", str(upstream), str(clone)),
    ):
        subprocess.run(["git", *words], cwd=upstream, check=True)
    made = Reader(clone)
    yield made
    made.suite.down()


class Story:
    """What the reader waits for before a command, and sees after it; each command is typed as it is written."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.at_backup: Books = {}
        self.at_stop: Books = {}
        self.lost = False
        self.seen: list[str] = []

    def before(self, command: str) -> None:
        if command == "scripts/backup.sh":
            self.reader.wait_for_trades(more=2)
            self.at_backup = self.reader.books()
        elif command == "rm -rf data":
            self.reader.keep_the_exchange()
            self.lost = True

    def after(self, command: str, said: str) -> None:
        self.seen.append(command)
        if has(command, "cp .env.example"):
            with (self.reader.folder / ".env").open("a", encoding="utf-8") as file:
                file.write("COMPOSE_FILE=docker-compose.yml:docker-compose.practice.yml\n")
        elif command == "docker-compose up -d":
            self.reader.wait_until_healthy()
        elif command == "docker-compose down":
            self.at_stop = self.reader.books()
        elif has(command, "scripts/backup.sh"):
            require_whole(self.reader, self.at_backup)
        elif has(command, "cli events"):
            assert "kind" in said, "a table, of which the newest may be others than the restore"
        elif has(command, "scripts/restore.sh") and not has(command, "--"):
            self._restored()

    def _restored(self) -> None:
        require_between(self.at_backup, self.reader.books(), self.at_stop)
        if self.lost:
            self.reader.bring_the_exchange_back()


def test_a_stranger_follows_the_document_word_for_word(reader):
    story = Story(reader)
    for command in commands():
        story.before(command)
        story.after(command, reader.type(command))
    assert {"rm -rf data", "scripts/restore.sh", "git pull"} <= set(story.seen)
    reader.wait_for_trades(more=2)
    require_between(story.at_backup, reader.books())
    database = schema.open_database(reader.suite.database_url)
    books.assert_file_is_sound(database)
    books.assert_books_add_up(database)
    database.close()


def require_whole(reader: Reader, before: Books) -> None:
    """There is a backup, and it has no fewer rows than there were before it was made."""
    newest = backups_in(reader.folder / "data-backups", "trading")[-1]
    assert newest.manifest is not None
    for table, rows in before.items():
        assert newest.manifest.rows[table] >= len(rows)


def require_between(before: Books, found: Books, after: Books | None = None) -> None:
    """Nothing of `before` is lost, and there is nothing that was not there in the end."""
    for table, rows in found.items():
        assert before[table] <= rows, table
        assert before[table], table
        if after is not None:
            assert rows <= after[table], table
