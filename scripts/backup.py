"""A consistent, checked, dated copy of the shared database, made while everything runs.

SQLite's backup API copies the file in one step, from one snapshot: a copy in several steps starts again at
every commit of somebody else, and never ends while traders trade. The copy is checked, and only then given its
name, so a file with that name is a whole backup.
"""

from __future__ import annotations

import argparse
import fcntl
import glob
import gzip
import os
import re
import shutil
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from common.database import DEFAULT_URL, path_of
from common.engine import load_driver
from common.errors import ConfigurationError, TransientError
from common.filesystem import require_local
from common.given import require_variables, require_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULT_KEEP = 14
_DEADLINE_S = 120.0
_PART = ".part"


class BackupFailed(TransientError):
    """No backup was made; what lies in the folder is as it was."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    file: Path
    rows: Mapping[str, int]
    seconds: float

    def __str__(self) -> str:
        rows = ", ".join(f"{table} {count}" for table, count in self.rows.items() if count)
        megabytes = self.file.stat().st_size / 1e6
        return f"{self.file}: {megabytes:.1f} MB in {self.seconds:.1f} s; rows: {rows or 'none'}"


def make_backup(
    database: Path, folder: Path, *, compress: bool = False, deadline_s: float = _DEADLINE_S
) -> Backup:
    """Copies that database into a new, checked file of that folder.

    Raises:
        ConfigurationError: there is no database, or the folder cannot be used.
        BackupFailed: the copy could not be made, or is not a sound database.
    """
    started = time.monotonic()
    driver = load_driver()
    if not database.is_file():
        raise ConfigurationError(f"--database: expected a database file, found none at {database}")
    require_local(database.parent)
    with _folder_to_ourselves(folder):
        for left in folder.glob(
            f"{glob.escape(database.stem)}-*{_PART}"
        ):  # by a backup that was killed
            left.unlink()
        name = _new_name(folder, database.stem)
        part = folder / f"{name}{_PART}"
        packed = folder / f"{name}.gz{_PART}"
        try:
            _copy(driver, database, part, deadline_s)
            rows = _check(driver, part)
            if compress:
                _compress(part, packed)
            whole = packed if compress else part
            _flush(whole)
            file = whole.rename(whole.with_suffix(""))
            _flush(folder)
        except driver.Error as error:
            raise BackupFailed(
                f"{database}: expected a backup in {folder}, found: {error}"
            ) from None
        finally:
            part.unlink(missing_ok=True)
            packed.unlink(missing_ok=True)
    return Backup(file, rows, time.monotonic() - started)


def prune(folder: Path, name: str, keep: int) -> list[Path]:
    """Deletes all but the newest `keep` backups of the database of that name; returns those deleted."""
    ours = re.compile(rf"{re.escape(name)}-\d{{8}}T\d{{6}}Z\.db(\.gz)?")
    backups = sorted(
        path
        for path in folder.iterdir()
        if ours.fullmatch(path.name) and path.is_file() and not path.is_symlink()
    )
    old = backups[:-keep]
    for path in old:
        path.unlink()
    return old


@contextmanager
def _folder_to_ourselves(folder: Path) -> Iterator[None]:
    """Makes the folder, and keeps other backups out of it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed(f"{folder}: expected no other backup, found one that runs") from None
        yield
    finally:
        os.close(descriptor)


def _new_name(folder: Path, stem: str) -> str:
    """A name with the time in it, which no backup has yet."""
    while True:
        name = f"{stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
        if not (folder / name).exists() and not (folder / f"{name}.gz").exists():
            return name
        time.sleep(0.05)


def _copy(driver: Any, database: Path, part: Path, deadline_s: float) -> None:
    """One step of the backup API; while the database is busy it is tried again, up to the deadline."""
    deadline = time.monotonic() + deadline_s

    def give_up(_status: int, _remaining: int, _total: int) -> None:
        if time.monotonic() > deadline:
            raise BackupFailed(
                f"{database}: expected to be let in within {deadline_s:.0f} s, found it locked"
            )

    with (
        closing(driver.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=0)) as source,
        closing(driver.connect(part)) as target,
    ):
        # Until it has its name the copy is nobody's: it needs no journal, and is flushed at the end.
        target.execute("PRAGMA journal_mode=OFF")
        target.execute("PRAGMA synchronous=OFF")
        source.backup(target, pages=-1, progress=give_up, sleep=0.01)


def _check(driver: Any, part: Path) -> dict[str, int]:
    """Reads the whole copy: the number of rows of each table.

    Raises:
        BackupFailed: it is not sound.
    """
    # Immutable: nobody else has it, and no -wal or -shm file is to appear beside it.
    with closing(driver.connect(f"{part.as_uri()}?immutable=1", uri=True)) as copy:
        integrity = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if integrity != "ok":
            raise BackupFailed(
                f"integrity_check of the copy: expected ok, found: {' '.join(integrity.split())}"
            )
        orphan = copy.execute("PRAGMA foreign_key_check").fetchone()
        if orphan is not None:
            raise BackupFailed(
                f"foreign_key_check of the copy: expected nothing, found a row of {orphan[0]} "
                f"without its row of {orphan[2]}"
            )
        tables = copy.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        if not tables:
            raise BackupFailed("tables of the copy: expected some, found an empty database")
        return {
            name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables
        }


def _compress(part: Path, packed: Path) -> None:
    with part.open("rb") as plain, gzip.open(packed, "wb", compresslevel=6) as small:
        shutil.copyfileobj(plain, small, 1 << 20)


def _flush(path: Path) -> None:
    """Has the disk keep that file, or a folder's list of files."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text!r}")
    return int(text)


def _default_url(environment: Mapping[str, str]) -> str:
    """The database that the suite uses: DATABASE_URL, or the one in docker-compose's DATA_DIR."""
    require_variables(environment, ["DATABASE_URL", "DATA_DIR"])
    if url := environment.get("DATABASE_URL"):
        return url
    folder = environment.get("DATA_DIR")
    return f"sqlite:///{folder}/trading.db" if folder else DEFAULT_URL


class _Parser(argparse.ArgumentParser):
    """One line for a mistake, as for every other."""

    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(message)


def _say(status: int, what: str) -> int:
    print(f"backup.sh: {what}", file=sys.stderr)  # noqa: T201
    return status


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> int:
    """The program. Returns its exit status: 2 for what the user has to change, 1 for a backup that failed."""
    parser = _Parser(prog="scripts/backup.sh", description=__doc__)
    parser.add_argument(
        "--database", metavar="URL", help="default: DATABASE_URL, or trading.db in DATA_DIR"
    )
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="default: backups, beside the database"
    )
    parser.add_argument(
        "--keep",
        type=_positive,
        default=DEFAULT_KEEP,
        metavar="N",
        help="how many backups stay, the newest (default %(default)s)",
    )
    parser.add_argument("--gzip", action="store_true", help="compress it: trading-....db.gz")
    parser.add_argument("--quiet", action="store_true", help="say nothing unless it fails")
    try:
        words = sys.argv[1:] if arguments is None else arguments
        require_words(words)
        options = parser.parse_args(words)
        database = path_of(options.database or _default_url(environment))
        folder = (options.folder or database.parent / "backups").absolute()
        backup = make_backup(database, folder, compress=options.gzip)
        pruned = prune(folder, database.stem, options.keep)
    except ConfigurationError as error:
        return _say(2, str(error))
    except BackupFailed as error:
        return _say(1, str(error))
    except OSError as error:
        return _say(1, f"{error.filename or 'backup'}: {error.strerror}")
    if not options.quiet:
        print(f"{backup}; removed {len(pruned)} older")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
