"""Checks of the place that the database lies in: file system, owners, room, WAL, memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from backfiller.settings import load_settings
from backfiller.upkeep.disk import Room, measure, readable
from candlewell.doctor.finding import Seen, note, ok, problem, warning
from common.errors import ConfigurationError
from common.filesystem import kind_of, require_local
from common.instance import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlewell.doctor.setup import Setup

_IN_MEMORY = {"tmpfs", "ramfs"}
_WAL_GROWN, _WAL_MUCH = 4, 1 << 30
_MEMORY_LOW = 100_000_000


def file_system(setup: Setup) -> Iterator[Seen]:
    """Whether SQLite's WAL mode works there, and what is written stays."""
    folder = setup.path.parent
    try:
        require_local(folder)
    except ConfigurationError as error:
        yield problem(
            "the data folder on a local disk",
            str(error).partition("found ")[2],
            "move it to a local folder, or on Docker Desktop to a named volume (DATA_DIR=data)",
        )
        return
    kind = kind_of(folder)
    if kind in _IN_MEMORY:
        yield warning(
            "the data folder on a disk",
            f"{folder} on {kind}, which is empty after a reboot",
            "move it to a disk",
        )
        return
    yield ok(f"{folder} on {kind or 'a file system that this system does not name'}")


def owners(setup: Setup) -> Iterator[Seen]:
    """Whether the daemons, who run as one user, can write all of it, and strangers none of it."""
    folder = setup.path.parent
    owner = folder.stat().st_uid
    base = setup.path.name
    files = [path for name in ("", "-wal", "-shm") if (path := folder / f"{base}{name}").exists()]
    files += [folder / FOLDER] if (folder / FOLDER).is_dir() else []
    files += sorted((folder / FOLDER).glob("*.lock"))
    others = [path for path in files if path.stat().st_uid != owner]
    for path in others:
        yield problem(
            f"a file of user {owner}, who owns {folder}",
            f"{path.name} of user {path.stat().st_uid}",
            f"stop the suite, then: sudo chown -R {owner} {folder}",
        )
    open_to_all = [path for path in (folder, *files) if path.stat().st_mode & 0o002]
    for path in open_to_all:
        yield problem(
            "a data folder that only its owner can write",
            f"{path} may be written by everybody",
            f"chmod o-w {path}",
        )
    if not os.access(folder, os.W_OK):
        yield note(
            f"user {os.geteuid()}, who looks, cannot write {folder} of user {owner}",
            f"the daemons have to run as user {owner}: PUID in .env",
        )
    if not others and not open_to_all:
        yield ok(f"{folder} and all in it are of user {owner}")


def room(setup: Setup) -> Iterator[Seen]:
    """Whether there is room on the disk, by the limits that the backfiller goes by."""
    settings = load_settings(setup.environment).upkeep
    disk = measure(setup.path)
    match disk.room(settings):
        case Room.NONE:
            yield problem(
                f"more than {readable(settings.stop_free)} free",
                f"{disk}",
                "make room: nothing is fetched until there is",
            )
        case Room.LOW:
            yield warning(
                f"{readable(settings.warn_free)} and {settings.warn_free_percent:g}% free",
                f"{disk}",
                "make room, or keep less: `retention` in config/backfiller.yml",
            )
        case Room.PLENTY:
            yield ok(f"{disk}")


def wal(setup: Setup) -> Iterator[Seen]:
    """Whether the WAL is checkpointed and cut."""
    limit = load_settings(setup.environment).upkeep.wal_limit
    size = measure(setup.path).wal
    if size <= _WAL_GROWN * limit:
        yield ok(f"the WAL has {readable(size)}")
        return
    tell = problem if size > _WAL_MUCH else warning
    yield tell(
        f"a WAL of at most {readable(_WAL_GROWN * limit)}",
        f"{readable(size)}",
        "end what reads without an end, such as a forgotten sqlite3 shell; look that the backfiller runs",
    )


def memory(_: Setup) -> Iterator[Seen]:
    """Whether the machine has memory left."""
    table = Path("/proc/meminfo")
    lines = table.read_text(encoding="ascii").splitlines() if table.exists() else []
    sizes = {
        name: int(rest.split()[0]) * 1024 for name, _, rest in (x.partition(":") for x in lines)
    }
    available = sizes.get("MemAvailable")
    if available is None:
        yield note("this system does not tell how much memory is left")
    elif available < _MEMORY_LOW:
        yield warning(
            f"{readable(_MEMORY_LOW)} of memory to be had",
            f"{readable(available)}",
            "run fewer traders, or give the machine more: one takes some 65 MB of its own",
        )
    else:
        yield ok(f"{readable(available)} of {readable(sizes['MemTotal'])} memory to be had")
