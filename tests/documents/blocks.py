"""What is to be typed, as the documents have it: fenced blocks, and commands on indented lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)$")
_INDENTED = " " * 4
# What an indented line begins with that is a command, and not what a command prints.
_PROGRAMS = ("python ", "sqlite3 ", "docker", "scripts/", "curl ", "candlewell ", ".venv/bin/", "git ")  # fmt: skip
_CRON = re.compile(r"^[\d*/,-]+( [\d*/,-]+){4} +(?P<command>\S.*)$", re.DOTALL)
_ITEM = re.compile(r"(?:[-*]|\d+\.) ")
COMMANDS = ("bash", "sh")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block, or one command on an indented line, of a document. `line` is where it begins, from 1."""

    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what a reader types before pressing Enter, of one line or more."""

    document: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}: {self.text}"

    def in_folder(self, folder: Path) -> str:
        """What a shell is given in that folder: of a line for cron its command, as cron reads it."""
        cron = _CRON.match(self.text)
        text = cron["command"].replace("\\%", "%") if cron else self.text
        return text.replace("/path/to/candlewell", str(folder))


def documents() -> list[str]:
    """Every document of the project, but for the changelog, which tells of the past."""
    found = [ROOT / "README.md", ROOT / "benchmarks/README.md", *ROOT.glob("docs/*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


@cache
def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str) -> list[Block]:
    """Its fenced blocks, without the indentation that they may have in a list."""
    found: list[Block] = []
    lines = text_of(document).splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        at += 1
        if fence:
            begin = at
            while lines[at].strip() != "```":
                at += 1
            inside = [line.removeprefix(fence["indent"]) for line in lines[begin:at]]
            text = "\n".join(inside) + "\n"
            found.append(Block(document, begin + 1, fence["language"], text))
            at += 1
    return found


def commands(document: str) -> list[Command]:
    """Every command of its blocks and of its indented lines."""
    fenced = [
        Command(document, block.line + at, text)
        for block in blocks(document)
        if block.language in COMMANDS
        for at, text in _logical(block.text.splitlines())
    ]
    return sorted((*fenced, *_indented(document)), key=lambda command: command.line)


def indented_blocks(document: str) -> list[tuple[int, str]]:
    """The first line of each block that is code by its indentation, with its number."""
    found: list[tuple[int, str]] = []
    before, in_list = "", False
    for number, line in enumerate(_prose(document), start=1):
        if line and not line.startswith(" "):
            in_list = bool(_ITEM.match(line))
        indentation = _INDENTED + "  " if in_list else _INDENTED
        if not before.strip() and line.startswith(indentation):
            found.append((number, line.strip()))
        before = line
    return found


def _prose(document: str) -> list[str]:
    """The lines of a document, with those of fenced blocks empty."""
    fenced: set[int] = set()
    for block in blocks(document):
        fenced |= set(range(block.line, block.line + block.text.count("\n")))
    lines = text_of(document).splitlines()
    return ["" if number in fenced else line for number, line in enumerate(lines, start=1)]


def _indented(document: str) -> list[Command]:
    """The commands on lines that are indented as code. What such a line prints follows it in the same way."""
    return [
        Command(document, at + 1, text)
        for at, text in _logical([_code(line) for line in _prose(document)])
        if text.startswith(_PROGRAMS) or _CRON.match(text)
    ]


def _code(line: str) -> str:
    return line.strip() if line.startswith(_INDENTED) else ""


def _logical(lines: list[str]) -> list[tuple[int, str]]:
    """Those lines as a shell reads them: a backslash or an open quote goes on. With the number of the first."""
    found: list[tuple[int, str]] = []
    begin, read = 0, ""
    for at, line in enumerate(lines):
        begin, read = (at, line) if not read else (begin, f"{read}\n{line}")
        if read.endswith("\\") or (read.startswith(_PROGRAMS) and _is_open(read)):
            continue
        if read.strip() and not read.lstrip().startswith("#"):
            found.append((begin, read))
        read = ""
    assert not read, f"a command without an end: {read}"
    return found


def _is_open(text: str) -> bool:
    bare = text.replace('\\"', "")
    return bare.count('"') % 2 == 1
