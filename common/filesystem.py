"""Which file systems a WAL-mode database may lie on: local ones, whose shared memory is shared. And room."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

from common.errors import ConfigurationError

# Network and VM-shared file systems: their locks or their mapped memory do not reach the other
# side, and a WAL-mode database on them is corrupted sooner or later.
_REFUSED = {
    "9p", "afs", "ceph", "cifs", "coda", "drvfs", "fakeowner", "gfs2", "glusterfs", "lustre", "ncpfs",
    "nfs", "nfs3", "nfs4", "ocfs2", "osxfs", "prl_fs", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs",
}  # fmt: skip


def require_local(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> None:
    """Refuses a folder on a file system that WAL does not work on.

    Does nothing where there is no `mounts` (not Linux).

    Raises:
        ConfigurationError: the file system is one of those; says what to do.
    """
    kind = kind_of(folder, mounts)
    if kind in _REFUSED or kind.startswith("fuse."):
        raise ConfigurationError(
            f"DATABASE_URL: expected a folder on a local disk, found {folder} on {kind}, where SQLite's "
            "WAL mode loses data; use a local folder, or a Docker named volume instead of a bind mount"
        )


def kind_of(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system that the folder is on, such as ext4; empty where nobody tells (not Linux)."""
    if not mounts.exists():
        return ""
    return _kind_in(folder.resolve(), mounts.read_text(encoding="utf-8"))


def has_room(folder: Path, size: int = 65_536) -> bool:
    """Whether a file of that many bytes can be written there: a quota counts as well as the disk's end."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(size))
            file.flush()
    except OSError as error:
        return error.errno not in {errno.ENOSPC, errno.EDQUOT}
    return True


def _kind_in(folder: Path, mountinfo: str) -> str:
    """The type of the file system that holds `folder`: the last mount of the longest path to it."""
    kind, deepest = "", -1
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].encode().decode("unicode_escape"))
        if folder.is_relative_to(point) and len(point.parts) >= deepest:
            kind, deepest = after.split()[0], len(point.parts)
    return kind
