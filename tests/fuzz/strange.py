"""Strange input: words, numbers and YAML that a person would hardly write, and a program must live with."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

_NUMBERS = (
    "1E+999999", "1E-999999", "-1E+999999", "0E+999999", "0E-999999", "1E+99999999999999999999", "NaN", "-NaN", "sNaN",
    "inf", "-Infinity", "-0", "-0.0", "+1", "1_000", "0x10", "0b1", "1e5", "1.", ".5", "١٢٣", "\uff11\uff14", "½", "²", "1,5",
    "0.1234567890123456789012345", "9" * 40, "9" * 400, "9" * 5000, "1e308", "1e309", "5e-324", "true", "null", "~", "none",
    "None", "NONE", " ", "\t", "\n", " 14 ", "14\n", "0", "-1", "1", "2", "14", "100", "1000000", "1000001", "2.5",
)  # fmt: skip
_WORDS = (
    "binance", "coinbase", "kraken", "BTC/USDT", "BTC/USD", "btc/usdt", "BTC-USDT", "/", "//", "1m", "1h", "1M", "3m", "rsi",
    "rsi:Rsi", "module:Class", "os:path", "../x:Y", "a" * 300, "x" * 5000, "../../etc/passwd", "/dev/null", "/dev/zero", "\\",
    "sqlite://", "sqlite:///", "sqlite:////", "sqlite:///:memory:", "postgresql://u:p@h/d", "sqlite:///a?mode=ro", "file:x",
    "http://", "https://", "http://[", "http://127.0.0.1:1/", "ftp://x", "paper", "live", "level", "crossing", "market", "limit",
    "90d", "0d", "999999w", "1h", "-1d", "\uff190d", "2025-01-01", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00",
    "2025-02-30", "2025-01-01T00:00:00.000000+23:59", "1GB", "999999TB", "0kB", "٣MB", "%s", "{0}", "$(x)", "`x`", "'", '"',
    "🚀", "\u202e", "\ufeff", "e\u0301", "\udcff", "\x1b[31m", "a\nb", "a\rb", "\x7f", "debug", "json", "text",
)  # fmt: skip

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
# What an environment variable or an argument can hold: everything but NUL, bytes that are no UTF-8 as surrogates.
words = st.one_of(st.sampled_from(_NUMBERS), st.sampled_from(_WORDS), _TEXT)

_YAML_SCALARS = (
    "{v}", "'{v}'", "!!int {v}", "!!float {v}", "!!bool {v}", "!!timestamp {v}", "!!binary {v}", "!!null {v}", "!!str {v}",
    "!!set {{{v}}}", "!!omap [{v}: 1]", "!!python/object:os.system {v}", "!x {v}", "&a {v}", "*a", "[{v}, {v}]", "{{{v}: {v}}}",
    "<<: {v}", "? [{v}]\n: 1", "|\n  {v}",
)  # fmt: skip
_YAML_VALUES = (
    ".nan", ".inf", "-.inf", "1" * 5000, "0x" + "f" * 5000, "1e999", "2025-13-45", "2025-01-01", "2025-01-01T99:99:99Z",
    "0001-01-01 00:00:00 -23:59", "190:20:30", "0o17", "=", "<<", "yes", "~", "''", "'\\0'", '"\\0"', '"\\ud800"', '"\\U0001F680"',
    "AAAA=", "-", "?", ":", "#", "%TAG", "---", "...", "@", "`", "!!", "&", "*", "[", "{", "]", "}", "9" * 400, "-0", "1_0", "+.5",
)  # fmt: skip

_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.binary(max_size=4),
    words.filter(lambda word: "\udcff" not in word),
)
structures: st.SearchStrategy[Any] = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(_TEXT, st.integers(), st.booleans(), st.none()), inner, max_size=3
        ),
    ),
    max_leaves=6,
)


@st.composite
def hostile_values(draw: st.DrawFn) -> str:
    """The text of one YAML value, in a form that tags, anchors or quotes make strange."""
    value = draw(st.one_of(st.sampled_from(_YAML_VALUES), words))
    return draw(st.sampled_from(_YAML_SCALARS)).format(v=value)


@st.composite
def edited(draw: st.DrawFn, text: str) -> bytes:
    """A valid text after a few random edits of its lines and bytes."""
    lines = text.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        kind = draw(
            st.sampled_from(("value", "twice", "gone", "deeper", "shallower", "key", "swap"))
        )
        key, colon, _ = lines[at].partition(":")
        if kind == "value" and colon:
            lines[at] = f"{key}: {draw(hostile_values())}\n"
        elif kind == "twice":
            lines.insert(at, lines[at])
        elif kind == "gone" and len(lines) > 1:
            del lines[at]
        elif kind == "deeper":
            lines[at] = "  " + lines[at]
        elif kind == "shallower":
            lines[at] = lines[at].lstrip(" ")
        elif kind == "key" and colon:
            lines[at] = f"{draw(hostile_values())}:{lines[at][len(key) + 1 :]}"
        elif kind == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
    content = bytearray("".join(lines).encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(content)


def dumped(structure: Any) -> bytes:
    """That structure as YAML."""
    return yaml.safe_dump(structure, allow_unicode=True).encode("utf-8", "surrogatepass")
