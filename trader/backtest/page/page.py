"""The report as a page: what was run, figures and settings, charts, monthly returns, round trips.

Everything is inside: style, program and charts. A content security policy lets a browser load nothing else, and run
no program but that one, whatever a strategy has put into its reasons.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from common.times import utc
from trader.backtest.page import round_trips, tables
from trader.backtest.page.panes import panes_of, places_of_trades
from trader.backtest.page.sampling import group_size
from trader.backtest.page.scale import Times
from trader.backtest.page.svg import as_svg
from trader.backtest.report import figures, notes
from trader.strategies.drawing import drawing_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from trader.backtest.metrics import Metrics
    from trader.backtest.page.svg import Pane
    from trader.backtest.result import Result
    from trader.backtest.setup import Setup

_HERE = Path(__file__).parent


def write_page(page: str, file: Path) -> None:
    """Writes the report.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        file.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigurationError(
            f"--html: expected a file that can be written, found {file}: {error.strerror}"
        ) from None


def as_page(
    setup: Setup, result: Result, metrics: Metrics, indicators: Mapping[str, NDArray[np.float64]]
) -> str:
    """The report: the same for the same backtest, byte for byte.

    Args:
        setup: what was run.
        result: what came of it.
        metrics: its figures.
        indicators: of each candle, by the strategy's names.
    """
    times = Times.of(result.candles)
    panes = panes_of(result, indicators, drawing_of(setup.strategy))
    title = f"Backtest of {setup.strategy_id}"
    program = _read("page.js")
    hashed = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'sha256-{hashed}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{_read("page.css")}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
{_about(setup, result)}
</header>
<main>
<section class="side-by-side">
{tables.pairs("Figures", "figures", figures(setup, result, metrics))}
{tables.pairs("Settings", "settings", tables.settings(setup, result))}
</section>
{_charts(panes, times, result)}
<section>
{tables.monthly(metrics.monthly_returns)}
</section>
<section>
{round_trips.table(result)}
</section>
</main>
<script>{program}</script>
</body>
</html>
"""


def _about(setup: Setup, result: Result) -> str:
    """What was run, and what the figures alone would not tell."""
    candles = result.candles
    first, last = (utc(int(candles.timestamp[place])) for place in (candles.first, -1))
    told = "".join(f"<li>{escape(note)}</li>" for note in notes(result))
    return (
        f"<p>Strategy {escape(setup.strategy_name)} on {escape(str(setup.partition))}, {candles.decided:,} candles from "
        f"{first} to {last} UTC, {candles.missing:,} missing.</p>{f'<ul>{told}</ul>' if told else ''}"
    )


def _charts(panes: list[Pane], times: Times, result: Result) -> str:
    always = places_of_trades(result)
    size = group_size(result.candles.decided)
    how = [
        f"A line goes through the lowest and the highest value of each {size:,} candles and the candles around each trade, so "
        "no extreme is lost; "
        "--since and --until show a shorter span in full."
        if size > 1
        else "Every candle is drawn."
    ]
    if result.candles.missing:
        how.append("Where candles are missing, lines go straight on.")
    figures_ = "\n".join(
        f'<figure>\n<figcaption><b>{escape(pane.title)}</b> {_legend(pane)}<span aria-hidden="true">{escape(pane.about)}</span>'
        f"</figcaption>\n{as_svg(pane, times, always)}\n</figure>"
        for pane in panes
    )
    return f"""<section id="charts" aria-labelledby="charts-title" data-start="{times.start}" data-step="{times.step}" data-span="{times.span}">
<h2 id="charts-title">Charts</h2>
<p class="how">{" ".join(how)} Times are UTC.</p>
<div class="controls" hidden><output aria-live="off"></output>
<button type="button" data-zoom="2" aria-label="Zoom in">+</button>
<button type="button" data-zoom="0.5" aria-label="Zoom out">&minus;</button>
<button type="button" data-zoom="0">Whole span</button></div>
{figures_}
</section>"""


def _legend(pane: Pane) -> str:
    """What the signs and further lines of a chart mean."""
    if not pane.low_high:
        return ""
    signs = "".join(
        f'<span class="legend"><svg class="sign" aria-hidden="true"><use href="#{shape}" x="6" y="{y}"/></svg>{word}</span>'
        for shape, y, word in (
            ("entry", 1, "entry"),
            ("exit", 10, "exit with a profit"),
            ("loss", 10, "exit at a loss"),
        )
    )
    extra = "".join(
        f'<span class="legend"><svg class="sample" aria-hidden="true"><path class="line {line.style}" d="M0 6h24"/>'
        f"</svg>{escape(line.name)}</span>"
        for line in pane.lines[1:]
    )
    return signs + extra


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
