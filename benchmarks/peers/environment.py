"""An environment for each program, with its own packages and nothing of this suite's."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_OURS = "made.json"
_NOT_THEIRS = ("pip", "setuptools", "_distutils_hack", "distutils-precedence", "pkg_resources")


class NotInstalled(Exception):
    """The packages cannot be installed here; the message has the end of what pip said."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A folder with a Python and packages; `installed_mb` is what the packages took on disk when they were new."""

    folder: Path
    installed_mb: float

    @property
    def python(self) -> str:
        """Its Python."""
        return self.program("python")

    def program(self, name: str) -> str:
        """A program that a package brought."""
        return str(self.folder / "bin" / name)


def environment(folder: Path, requirements: Path) -> Environment:
    """The environment in that folder; it is made unless it is there with these packages.

    Raises:
        NotInstalled: it cannot be made.
    """
    pinned = hashlib.sha256(requirements.read_bytes()).hexdigest()
    note = folder / _OURS
    if note.exists():
        made = json.loads(note.read_text(encoding="utf-8"))
        if made["pinned"] == pinned:
            return Environment(folder, made["installed_mb"])
    _clear(folder)
    print(f"installing {requirements.name} into {folder}", file=sys.stderr, flush=True)
    _run(sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", "--require-hashes", "--requirement", str(requirements))
    made = {"pinned": pinned, "installed_mb": _size_mb(folder)}
    note.write_text(json.dumps(made), encoding="utf-8")
    return Environment(folder, made["installed_mb"])


def _clear(folder: Path) -> None:
    """Removes an environment, and refuses to remove anything else."""
    if not folder.exists():
        return
    if not (folder / "pyvenv.cfg").exists():
        raise NotInstalled(f"expected an environment or nothing in {folder}, found something else")
    shutil.rmtree(folder)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise NotInstalled(said.splitlines()[-1].strip() if said else f"status {done.returncode}")


def _size_mb(folder: Path) -> float:
    """Of the packages on disk, without what a new environment has already."""
    packages = next(folder.glob("lib/python*/site-packages"))
    blocks = sum(
        file.lstat().st_blocks
        for entry in packages.iterdir()
        if not entry.name.startswith(_NOT_THEIRS)
        for file in (entry.rglob("*") if entry.is_dir() else (entry,))
    )
    return blocks * 512 / 1e6
