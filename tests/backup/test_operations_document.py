"""docs/OPERATIONS.md tells of every kind of event that the code records, and of none that it does not."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.backup.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("backfiller", "candlewell", "common", "trader")
LEVELS = {"info", "warning", "error"}


def kinds_of(tree: ast.Module) -> Iterator[str]:
    """What follows a level, or a control, among the arguments of a call that records."""
    names = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not names_a_record(node.func):
            continue
        given = [names.get(one.id, one) if isinstance(one, ast.Name) else one for one in node.args]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "_tighten":
            kind = given[-1:]
        else:
            at = next((at for at, one in enumerate(given) if is_level(one)), len(given))
            kind = given[at + 1 : at + 2]
        for one in kind:
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one.value


def names_a_record(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in {"record", "record_once", "keep", "append", "attempt", "note", "_tighten"}


def is_level(one: ast.expr) -> bool:
    if isinstance(one, ast.IfExp):
        return is_level(one.body)
    return isinstance(one, ast.Constant) and one.value in LEVELS


def recorded() -> set[str]:
    return {
        kind
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        for kind in kinds_of(ast.parse(file.read_text(encoding="utf-8")))
    }


def told() -> set[str]:
    text = (ROOT / "docs/OPERATIONS.md").read_text(encoding="utf-8")
    table = text.partition("| kind | level |")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def test_every_kind_of_event_is_told_of_and_no_other():
    assert told() == recorded()
    assert {"candle_rejected", "halted", "limit_reached", "reconfigured", "backup_made"} <= told()
