"""Value noise with random access: any stretch of it, at any time, from nothing but a key.

Lattice values come from a hash of (key, cell), so no state is carried from one point to the next:
the noise at a step is the same whether its neighbours were asked for or not.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Keys: TypeAlias = np.uint64 | npt.NDArray[np.uint64]
Octave: TypeAlias = tuple[np.uint64, int, float]

_Number = TypeVar("_Number", float, Floats)

_LOG2_BLOCK = 5
_BLOCK = 1 << _LOG2_BLOCK  # steps

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def key_of(*parts: object) -> np.uint64:
    """A 64-bit key of those parts, the same in every process and on every machine."""
    text = "/".join(str(part) for part in parts)
    return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def uniform(key: Keys, cells: Integers) -> Floats:
    """One number in [0, 1) for each cell: splitmix64 of the key (or of one of each row) and its number."""
    with np.errstate(over="ignore"):
        mixed = cells.astype(np.uint64)
        mixed *= _GOLDEN
        mixed += key
        mixed ^= mixed >> np.uint64(30)
        mixed *= _MIX_1
        mixed ^= mixed >> np.uint64(27)
        mixed *= _MIX_2
    mixed ^= mixed >> np.uint64(31)
    mixed >>= np.uint64(11)
    return np.asarray(mixed * 2.0**-53, dtype=np.float64)


def summed(octaves: list[Octave], first: int, count: int) -> Floats:
    """The sum of octaves of smooth noise at the steps `first` to `first` + `count` - 1.

    Between two lattice points, smooth noise is a polynomial of the third degree. So all octaves
    whose lattice is no finer than a block of steps are added up as polynomials, once a block, and
    only their sum is evaluated at every step.

    Args:
        octaves: for each its key, the binary logarithm of the distance between its lattice points,
            and its size: it lies between minus and plus that.
        first: a multiple of 32.
        count: how many steps.
    """
    blocks = np.arange(first // _BLOCK, -(-(first + count) // _BLOCK), dtype=np.int64)
    within = np.arange(_BLOCK, dtype=np.float64)
    c0, c1, c2, c3 = _polynomials([one for one in octaves if one[1] >= _LOG2_BLOCK], blocks)
    noise: Floats = c3 * within
    for coefficient in (c2, c1):
        noise += coefficient
        noise *= within
    noise += c0
    flat = noise.reshape(-1)
    for octave in octaves:
        if octave[1] < _LOG2_BLOCK:
            _add_fine(flat, octave, int(blocks[0]) * _BLOCK)
    return flat[:count]


def _polynomials(octaves: list[Octave], blocks: Integers) -> list[Floats]:
    """The sum of octaves without a lattice point inside a block: coefficients, shape (blocks, 1).

    With p = position + slope * step, the noise of one is start + rise * (3 p**2 - 2 p**3).
    """
    keys = np.array([key for key, _, _ in octaves], dtype=np.uint64)[:, None]
    log2_spacings = np.array([log2_spacing for _, log2_spacing, _ in octaves])[:, None]
    sizes = np.array([size for _, _, size in octaves])[:, None]
    cells = blocks >> (log2_spacings - _LOG2_BLOCK)
    start = _lattice(keys, cells, sizes)
    rise = _lattice(keys, cells + 1, sizes) - start
    slope = 0.5**log2_spacings
    position = blocks * (_BLOCK * slope) - cells
    rising = rise * slope
    coefficients = (
        start + rise * _ease(position),
        rising * 6.0 * position * (1.0 - position),
        rising * (3.0 * slope) * (1.0 - 2.0 * position),
        rising * (-2.0 * slope * slope),
    )
    return [one.sum(axis=0)[:, None] for one in coefficients]


def _add_fine(noise: Floats, octave: Octave, first: int) -> None:
    """Adds an octave with several lattice points in a block to the noise from step `first` on."""
    key, log2_spacing, size = octave
    spacing = 1 << log2_spacing
    cell, cells = first // spacing, len(noise) // spacing
    lattice = _lattice(key, np.arange(cell, cell + cells + 1, dtype=np.int64), size)
    rise = np.diff(lattice)
    for step in range(spacing):
        noise[step::spacing] += lattice[:-1] + rise * _ease(step / spacing)


def _ease(position: _Number) -> _Number:
    return position * position * (3.0 - 2.0 * position)


def _lattice(key: Keys, cells: Integers, size: Floats | float) -> Floats:
    return (uniform(key, cells) * 2.0 - 1.0) * size
