"""Files of candles after an accident: cut short, bits flipped, lines of other programs, packed strangely."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.backfiller_files import samples
from tests.fuzz import strange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from common.market_data import Row

ROWS = samples.candles(60)
KINDS = ("csv", "gz", "binance", "kraken", "json", "feather", "parquet")
NAMES = {
    "csv": "binance_BTC-USDT_1h.csv",
    "gz": "binance_BTC-USDT_1h.csv.gz",
    "binance": "BTCUSDT-1h-2024-01.zip",
    "kraken": "XBTUSD_60.csv",
    "json": "binance/BTC_USDT-1h.json",
    "feather": "binance/BTC_USDT-1h.feather",
    "parquet": "binance/BTC-USDT/1h/2024-01.parquet",
}


def written(folder: Path, kind: str) -> bytes:
    """A valid file of that kind."""
    file = folder / NAMES[kind]
    writers: dict[str, Callable[[Path, Sequence[Row]], Path]] = {
        "csv": samples.write_csv,
        "gz": samples.write_csv,
        "binance": samples.write_binance,
        "kraken": samples.write_kraken,
        "json": samples.write_json,
        "feather": samples.write_feather,
        "parquet": samples.write_parquet,
    }
    return writers[kind](file, ROWS).read_bytes()


@st.composite
def files(draw: st.DrawFn, valid: dict[str, bytes]) -> tuple[str, bytes]:
    """The kind and the content of a damaged file."""
    kind = draw(st.sampled_from(sorted(valid)))
    content = valid[kind]
    text = _text(kind, content)
    if text is not None and draw(st.booleans()):
        return kind, _packed(draw, kind, _lines_damaged(draw, text))
    return kind, _bytes_damaged(draw, content)


def _text(kind: str, content: bytes) -> bytes | None:
    """What a file of lines holds, unpacked."""
    if kind == "gz":
        return gzip.decompress(content)
    if kind == "binance":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return packed.read(packed.namelist()[0])
    return content if kind in {"csv", "kraken", "json"} else None


def _packed(draw: st.DrawFn, kind: str, text: bytes) -> bytes:
    if kind == "gz":
        return gzip.compress(text) * draw(st.integers(1, 2))
    if kind != "binance":
        return text
    method = draw(
        st.sampled_from(
            (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        )
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as packed:
        for number in range(draw(st.sampled_from((1, 1, 1, 0, 2)))):
            packed.writestr(
                f"{draw(st.sampled_from(('a.csv', '../a.csv', '/a', 'a/')))}{number}", text
            )
    return made.getvalue()


def _bytes_damaged(draw: st.DrawFn, content: bytes) -> bytes:
    some = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(some) - 1)))
        kind = draw(st.sampled_from(("flip", "flip", "flip", "cut", "gone", "in", "twice", "end")))
        if kind == "flip" and some:
            some[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del some[at:]
        elif kind == "gone":
            del some[at : at + draw(st.integers(1, 40))]
        elif kind == "in":
            some[at:at] = draw(st.binary(max_size=8))
        elif kind == "twice":
            some += some[at:]
        elif kind == "end" and some:  # where Parquet, feather and zip keep what tells the rest
            some[-1 - draw(st.integers(0, min(60, len(some) - 1)))] = draw(st.integers(0, 255))
    return bytes(some)


_ENDS = (b"\r\n", b"\r", b"\n\n", b"\n\r", b"\x00\n", b"\x0b", b"\x85")
_HEADERS = (
    b"timestamp,open,high,low,close",
    b"timestamp,timestamp,open,high,low,close,volume",
    b"time,close,low,high,open,volume",
    b'TIMESTAMP ,"open",High,low,close,volume',
    b"open_time,open,high,low,close,volume",
    b"timestamp;open;high;low;close;volume",
    b",".join(b"c%d" % number for number in range(5000)),
    b"h" * 100_000,
    b"",
    b"nan,1,1,1,1,1",
    b"inf,1,1,1,1,1",
    b"\xff\xfe",
    b"\xef\xbb\xbftimestamp,open,high,low,close,volume",
)


def _lines_damaged(draw: st.DrawFn, text: bytes) -> bytes:
    lines = text.split(b"\n")
    for _ in range(draw(st.integers(1, 3))):
        _damage_a_line(draw, lines)
    return _written_otherwise(draw, b"\n".join(lines))


def _damage_a_line(draw: st.DrawFn, lines: list[bytes]) -> None:
    at = draw(st.integers(0, len(lines) - 1))
    fields = lines[at].split(b",")
    kind = draw(
        st.sampled_from(("field", "field", "field", "header", "twice", "gone", "more", "swap"))
    )
    if kind == "field":
        fields[draw(st.integers(0, len(fields) - 1))] = draw(strange.words).encode(
            "utf-8", "surrogateescape"
        )
        lines[at] = b",".join(fields)
    elif kind == "header":
        lines[0] = draw(st.sampled_from(_HEADERS))
    elif kind == "twice":
        lines.insert(at, lines[at])
    elif kind == "gone" and len(lines) > 1:
        del lines[at]
    elif kind == "more":
        lines[at] += draw(st.sampled_from((b"9", b",1"))) * draw(
            st.sampled_from((1, 6, 400, 70_000))
        )
    elif kind == "swap":
        lines[at] = b",".join(reversed(fields))


def _written_otherwise(draw: st.DrawFn, text: bytes) -> bytes:
    """With other line ends, delimiters or bytes for its letters, now and then."""
    if draw(st.integers(0, 3)) == 0:
        text = text.replace(b"\n", draw(st.sampled_from(_ENDS)), draw(st.integers(1, 80)))
    if draw(st.integers(0, 5)) == 0:
        text = text.replace(b",", draw(st.sampled_from((b";", b"\t", b" ", b",,", b'","', b"|"))))
    if draw(st.integers(0, 7)) == 0:
        encoding = draw(st.sampled_from(("utf-16", "utf-8-sig", "utf-32")))
        text = text.decode("utf-8", "replace").encode(encoding)
    return text
