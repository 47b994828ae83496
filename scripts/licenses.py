"""The table of docs/LICENSES.md: every package that the locks name, with its version and its licence.

    python -m scripts.licenses            writes it anew
    python -m scripts.licenses --check    says whether it is what the locks and the packages say

Versions are those of requirements/*.txt, licences what the installed packages say of themselves. A licence that is
not among those below is refused: whoever adds such a package decides that here, on purpose.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs/LICENSES.md"
BEGIN, END = "<!-- packages: written by scripts/licenses.py -->\n", "<!-- end -->\n"
# The locks nest: a package is told of at the smallest that has it.
_LOCKS = {
    "trader": "a trader on paper",
    "suite": "the other daemons",
    "terminal": "the tables for people",
}
_PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+))?")

_ACCEPTED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MPL-2.0", "PSF-2.0", "Zlib",
}  # fmt: skip
# Read in the licence files of packages whose metadata say less than these do, or nothing.
_READ = {
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "polars": "MIT",
    "polars-runtime-32": "MIT",
    "pysqlite3": "Zlib",
    "uvloop": "MIT OR Apache-2.0",
}
_SPELLED = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "The MIT License (MIT)": "MIT",
}


class UnknownLicence(Exception):
    """A package has a licence that nobody has decided on; the message names both."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the locks; more than one version where Pythons differ."""

    name: str
    versions: tuple[str, ...]
    used_by: str

    @property
    def licence(self) -> str:
        """Its SPDX expression.

        Raises:
            UnknownLicence: it tells none, or one that is not accepted.
        """
        told = metadata.metadata(self.name)
        if told["Version"] not in self.versions:
            raise UnknownLicence(
                f"{self.name}: expected version {' or '.join(self.versions)}, as the lock says, found {told['Version']}"
            )
        # Asked for by `in` first: a key that is not there will be an error one day.
        found = _READ.get(self.name) or next(
            (told[key] for key in ("License-Expression", "License") if key in told), ""
        )
        expression = _SPELLED.get(found, found)
        named = set(re.split(r" (?:AND|OR) |[()]", expression)) - {""}
        if not named or named - _ACCEPTED:
            raise UnknownLicence(
                f"{self.name}: expected a licence among {', '.join(sorted(_ACCEPTED))}, found {expression[:80]!r}"
            )
        return expression


def packages() -> list[Package]:
    """What the locks name, for the systems that the suite runs on."""
    found: dict[str, Package] = {}
    for lock, used_by in _LOCKS.items():
        versions: dict[str, list[str]] = {}
        for line in (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8").splitlines():
            pinned = _PINNED.match(line)
            if pinned and "sys_platform == 'win32'" not in (pinned["marker"] or ""):
                versions.setdefault(pinned["name"], []).append(pinned["version"])
        for name, those in versions.items():
            found.setdefault(name, Package(name, tuple(those), used_by))
    return sorted(found.values(), key=lambda package: package.name)


def table(of: Iterable[Package]) -> str:
    """Those packages as a table in Markdown."""
    rows = [
        f"| {package.name} | {', '.join(package.versions)} | {package.licence} | {package.used_by} |"
        for package in of
    ]
    return "\n".join(("| package | version | licence | first needed by |", "|---|---|---|---|", *rows, ""))  # fmt: skip


def renewed(document: str) -> str:
    """That document with today's table between its two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table(packages())}{END}{after}"


def main(words: Sequence[str] | None = None) -> int:
    """The program. Returns its exit status: 1 if the document is not what it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.licenses",
        description="Write the table of licences into docs/LICENSES.md, from the environment that prepare.sh dev makes.",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing, status 1 if it differs"
    )
    check = parser.parse_args(words).check
    document = DOCUMENT.read_text(encoding="utf-8")
    try:
        wanted = renewed(document)
    except (UnknownLicence, metadata.PackageNotFoundError) as error:
        print(f"licenses: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if wanted == document:
        return 0
    if check:
        print(f"licenses: {DOCUMENT} is stale: run `python -m scripts.licenses`", file=sys.stderr)  # noqa: T201
        return 1
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
