"""Value noise with random access: any stretch of it, at any time, from nothing but a key.

Lattice values come from a hash of (key, cell), so no state is carried from one point to the next:
the noise at a step is the same whether its neighbours were asked for or not.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def key_of(*parts: object) -> np.uint64:
    """A 64-bit key of those parts, the same in every process and on every machine."""
    text = "/".join(str(part) for part in parts)
    return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def uniform(key: np.uint64, cells: Integers) -> Floats:
    """One number in [0, 1) for each cell: splitmix64 of the key and the cell's number."""
    with np.errstate(over="ignore"):
        mixed = cells.astype(np.uint64) * _GOLDEN + key
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    mixed ^= mixed >> np.uint64(31)
    return np.asarray((mixed >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def octave(key: np.uint64, log2_spacing: int, steps: Integers) -> Floats:
    """Smooth noise in [-1, 1) at consecutive `steps`, with a lattice point every 2**log2_spacing."""
    spacing = 1 << log2_spacing
    cell, end = int(steps[0]) // spacing, -(-int(steps[-1]) // spacing)
    lattice = uniform(key, np.arange(cell, max(end, cell + 1) + 1, dtype=np.int64)) * 2.0 - 1.0
    if end <= cell + 1:  # all steps lie in one cell
        position = (steps - cell * spacing) / spacing
        return np.asarray(lattice[0] + (lattice[1] - lattice[0]) * _ease(position))
    ease = _ease(np.arange(spacing) / spacing)
    noise: Floats = lattice[:-1, None] + np.diff(lattice)[:, None] * ease
    start = int(steps[0]) - cell * spacing
    return np.append(noise, lattice[-1])[start : start + len(steps)]


def _ease(position: Floats) -> Floats:
    return position * position * (3.0 - 2.0 * position)
