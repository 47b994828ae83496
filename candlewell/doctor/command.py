"""`candlewell doctor`: goes through the checks, and tells what is wrong and what to do."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import click

from candlewell import options
from candlewell.doctor.checks import examine
from candlewell.doctor.finding import Finding, Level
from candlewell.doctor.setup import Setup
from candlewell.listing import Column, Time, console, document, table
from common.database import path_of, url_from
from common.reading import open_for_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS = (Column("", "level"), Column("check", "check"), Column("found", "found"))


@click.command(
    epilog="Example, for cron: candlewell doctor >report.txt || mail -s Candlewell me <report.txt"
)
@click.option(
    "--deep", is_flag=True, help="Read the whole database: each index entry, each reference."
)
@options.as_json
def doctor(deep: bool, as_json: bool) -> int:
    """Look for what is wrong with this set-up; nothing is changed.

    File system, owners, clock, room, SQLite, the database, silent daemons, halted strategies, gaps, backups, rights of
    API keys, .env. The exit status is 1 if there is a problem; a warning or a note is none.
    """
    path = path_of(url_from(os.environ))
    database = open_for_reading(path)
    setup = Setup(os.environ, path, database, is_deep=deep)
    try:
        findings = examine(setup)
    finally:
        database.close()
    has_problem = any(one.level is Level.PROBLEM for one in findings)
    if as_json:
        rows = [one.as_row() for one in findings]
        click.echo(document({"at": Time(setup.now), "ok": not has_problem, "findings": rows}))
    else:
        _print(findings)
    return 1 if has_problem else 0


def _print(findings: Sequence[Finding]) -> None:
    rows = [one.as_row() | {"found": _told(one)} for one in findings]
    console().print(table(rows, _COLUMNS))
    for one in findings:
        if one.advice and one.level in {Level.WARNING, Level.PROBLEM}:
            click.echo(f"{one.level.value}: {one.check}: {one.advice}")
    counts = Counter(one.level for one in findings)
    click.echo(
        f"{counts[Level.PROBLEM]} problems, {counts[Level.WARNING]} warnings, "
        f"{counts[Level.OK]} of {len(findings)} as they should be"
    )


def _told(one: Finding) -> str:
    return f"expected {one.expected}, found {one.found}" if one.expected else one.found


COMMANDS = {"doctor": doctor}
