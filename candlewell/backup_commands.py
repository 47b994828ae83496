"""`candlewell backup`, `restore` and `drill`: a copy of everything, its way back, and the proof that there is one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from candlewell.backup import daily
from candlewell.backup.catalogue import backups_in, chosen
from candlewell.backup.errors import BackupFailed, BadBackup
from candlewell.backup.restoring import restore as restored
from candlewell.backup.round import Plan, back_up, try_newest
from candlewell.backup.scheme import Scheme
from candlewell.backup.standing import MAX_AGE_S
from common.database import path_of, url_from
from common.errors import TransientError
from common.given import require_variables

if TYPE_CHECKING:
    from collections.abc import Callable

Command = TypeVar("Command", bound="Callable[..., object]")

_CONFIG = Path("config")
_DEFAULT = Scheme()
_NICENESS = 10  # traders come first: most of a backup is packing
_MEANS = {"d": 86_400.0, "h": 3600.0, "m": 60.0}


class Duration(click.ParamType[float]):
    """Seconds, given as 26h, 90m or 2d."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        """See click."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+)([dhm])", str(value))
        if match is None:
            self.fail(f"expected such as 26h, 90m or 2d, found {value!r}", param, context)
        return int(match[1]) * _MEANS[match[2]]


class TimeOfDay(click.ParamType[tuple[int, int]]):
    """Hour and minute, UTC."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, int]:
        """See click."""
        match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", str(value))
        if match is None:
            self.fail(f"expected a time of day such as 03:00, found {value!r}", param, context)
        return int(match[1]), int(match[2])


_folder = click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the backups are. Default: BACKUP_DIR, or a folder beside the data folder: data-backups.",
)
_max_age = click.option(
    "--max-age",
    type=Duration(),
    default=MAX_AGE_S,
    show_default="26h",
    help="How old the newest backup may be.",
)
_quiet = click.option("--quiet", is_flag=True, help="Say nothing unless something is wrong.")


def _keep(name: str, default: int, what: str) -> Callable[[Command], Command]:
    return click.option(
        name, type=click.IntRange(min=0), default=default, show_default=True, help=what
    )


@click.command(epilog="Example: candlewell backup --folder /mnt/other-disk/candlewell")
@_folder
@_keep("--keep", _DEFAULT.last, "The newest so many stay, whatever their day.")
@_keep("--keep-daily", _DEFAULT.daily, "The last one of each of so many days.")
@_keep("--keep-weekly", _DEFAULT.weekly, "The last one of each of so many weeks.")
@_keep("--keep-monthly", _DEFAULT.monthly, "The last one of each of so many months.")
@click.option(
    "--daily",
    "at",
    type=TimeOfDay(),
    metavar="HH:MM",
    help="Go on running: make one each day at that time (UTC), and try it.",
)
@_quiet
def backup(
    *,
    folder: Path | None,
    keep: int,
    keep_daily: int,
    keep_weekly: int,
    keep_monthly: int,
    at: tuple[int, int] | None,
    quiet: bool,
) -> int:
    """Make a checked copy of the database, its archive and config/, while everything runs.

    Older ones are removed by the scheme of days, weeks and months; the newest always stays. Neither .env nor secrets/ is
    ever in a backup: keep those yourself. Exit status 1: something went wrong, which is said on stderr.
    """
    plan = _plan(folder, Scheme(keep, keep_daily, keep_weekly, keep_monthly))
    _step_back()
    if at is not None:
        daily.run(plan, at)
        return 0
    return _said(lambda: back_up(plan), quiet=quiet)


@click.command(epilog="Example: candlewell restore latest")
@click.argument("which", metavar="[BACKUP|latest]", default="latest")
@_folder
@click.option(
    "--list", "show_list", is_flag=True, help="Say which backups there are; restore none."
)
@click.option("--drill", "try_it", is_flag=True, help="As `candlewell drill`; restore none.")
@_max_age
def restore(
    *, which: str, folder: Path | None, show_list: bool, try_it: bool, max_age: float
) -> int:
    """Put a backup in the database's place, when nothing runs.

    BACKUP is the name of a backup, or a path to one. It is checked first; the database from before stays beside. Refused
    while a daemon runs (exit status 2). Exit status 1: the backup is not sound, nothing was changed.
    """
    plan = _plan(folder, _DEFAULT)
    if show_list:
        for one in backups_in(plan.folder, plan.database.stem):
            click.echo(f"{one.path.name}  {one.age_s / 3600:.1f} h old")
        return 0
    if try_it:
        return _said(lambda: try_newest(plan, max_age))
    return _said(lambda: restored(chosen(plan.folder, plan.database.stem, which), plan.database))


@click.command(epilog="Example: candlewell drill --max-age 26h")
@_folder
@_max_age
@_quiet
def drill(*, folder: Path | None, max_age: float, quiet: bool) -> int:
    """Try the newest backup: restore it beside, upgrade it, and read it as the suite does.

    Exit status 1: there is none, it is too old, or it does not work.
    """
    plan = _plan(folder, _DEFAULT)
    _step_back()
    return _said(lambda: try_newest(plan, max_age), quiet=quiet)


def _step_back() -> None:
    """Lets others have the processor first."""
    os.nice(max(0, _NICENESS - os.nice(0)))


def _plan(folder: Path | None, scheme: Scheme) -> Plan:
    require_variables(os.environ, ["BACKUP_DIR"])
    database = path_of(url_from(os.environ))
    given = folder or os.environ.get("BACKUP_DIR")
    beside = database.parent.with_name(f"{database.parent.name}-backups")
    config = _CONFIG.absolute() if _CONFIG.is_dir() else None
    return Plan(database, Path(given).absolute() if given else beside, scheme, config)


def _said(act: Callable[[], object], *, quiet: bool = False) -> int:
    """Does it and says what came of it, or what is wrong with it: 0 or 1."""
    try:
        done = act()
    except (BackupFailed, BadBackup, TransientError) as error:
        for line in str(error).splitlines():
            click.echo(f"candlewell: {line}", err=True)
        return 1
    except OSError as error:
        click.echo(f"candlewell: {error.filename or 'disk'}: {error.strerror}", err=True)
        return 1
    if not quiet:
        click.echo(done)
    return 0


COMMANDS = {"backup": backup, "restore": restore, "drill": drill}
