"""How an audit is told: a table and a line for each difference for people, JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from common.times import utc
from trader.audit.difference import Kind

if TYPE_CHECKING:
    from trader.audit.audit import Audit
    from trader.audit.difference import Difference

_NO_CAUSE = "no known cause"


def as_table(audit: Audit) -> str:
    """The audit for people."""
    setup = audit.setup
    lines = [
        f"strategy   {setup.strategy_id} ({setup.strategy_name})",
        f"market     {setup.partition}",
        f"candles    {_span(audit)}",
        *(f"configured {utc(at)} anew; before that as it was then" for at in audit.configured_anew),
        "",
        f"{'':<10} {'compared':>10} {'differences':>12} {'of known cause':>15}",
        *(_counts(audit, kind) for kind in Kind),
        *_by_cause(audit),
    ]
    if audit.differences:
        lines += ["", *map(_line, audit.differences)]
    return "\n".join(lines)


def as_json(audit: Audit) -> str:
    """The audit for programs: times in milliseconds UTC, what differs as text."""
    setup = audit.setup
    told: dict[str, Any] = {
        "strategy_id": setup.strategy_id,
        "strategy": setup.strategy_name,
        "exchange": setup.partition.exchange,
        "symbol": setup.partition.symbol,
        "timeframe": setup.partition.timeframe.value,
        "since": audit.since,
        "until": audit.until,
        "configured_anew": list(audit.configured_anew),
        "compared": {kind.value: audit.compared[kind] for kind in Kind},
        "unexplained": len(audit.unexplained),
        "differences": [
            {
                "kind": one.kind.value,
                "timestamp": one.timestamp,
                "what": one.what,
                "written": one.written,
                "replayed": one.replayed,
                "cause": None if one.cause is None else one.cause.value,
                "detail": one.detail,
                "candles": one.count,
            }
            for one in audit.differences
        ],
    }
    return json.dumps(told, indent=2, allow_nan=False)


def _span(audit: Audit) -> str:
    if audit.since is None and audit.until is None:
        return "all that were evaluated"
    since = "" if audit.since is None else f"from {utc(audit.since)} "
    until = "" if audit.until is None else f"to {utc(audit.until)} "
    return f"{since}{until}UTC"


def _counts(audit: Audit, kind: Kind) -> str:
    found = [one for one in audit.differences if one.kind is kind]
    known = sum(one.cause is not None for one in found)
    return f"{kind.value:<10} {audit.compared[kind]:>10,} {len(found):>12,} {known:>15,}"


def _by_cause(audit: Audit) -> list[str]:
    causes = Counter(_cause(one) for one in audit.differences)
    return (
        ["", *(f"{count:>10,}  {cause}" for cause, count in causes.most_common())] if causes else []
    )


def _line(one: Difference) -> str:
    often = f" (and at the {one.count - 1:,} candles after it)" if one.count > 1 else ""
    detail = f" ({one.detail})" if one.detail else ""
    return (
        f"{utc(one.timestamp)}  {one.kind.value}: {one.what}: written {one.written}, replay {one.replayed}{often}: "
        f"{_cause(one)}{detail}"
    )


def _cause(one: Difference) -> str:
    return _NO_CAUSE if one.cause is None else one.cause.value
