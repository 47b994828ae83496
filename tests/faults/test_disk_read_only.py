"""A volume that is read-only: from the start, or because its disk failed under running daemons."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.conftest import fleet_in, mount
from tests.faults.surroundings import BACKFILLER, ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.surroundings import Fleet

IO_ERROR = 74
MISTAKE = 2
SIZE = 32 << 20


class FailingDisk:
    """A small ext4 file system in a file, which becomes read-only when it meets an error, as disks of servers do."""

    def __init__(self, folder: Path) -> None:
        self.image = folder / "image"
        self.folder = folder / "disk"
        self.folder.mkdir()
        self.image.write_bytes(bytes(SIZE))
        try:
            subprocess.run(["mkfs.ext4", "-q", str(self.image)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"needs mkfs.ext4: {error}")
        self.mount()

    def mount(self) -> None:
        mount(self.folder, "-o", "loop,errors=remount-ro", str(self.image))

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)

    def fail(self) -> None:
        """Has the kernel find an error in it."""
        words = ["findmnt", "--noheadings", "--output", "SOURCE", str(self.folder)]
        source = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
        switch = Path("/sys/fs/ext4") / Path(source).name / "trigger_fs_error"
        try:
            switch.write_text("a test\n", encoding="ascii")
        except OSError as error:
            pytest.skip(f"needs the right to have a file system fail: {error}")


@pytest.fixture
def failing(tmp_path) -> Iterator[FailingDisk]:
    disk = FailingDisk(tmp_path)
    yield disk
    subprocess.run(["umount", "-l", str(disk.folder)], check=False)


@pytest.fixture
def fleet(tmp_path, failing) -> Iterator[Fleet]:
    with fleet_in(tmp_path, disk=failing.folder) as found:
        found.start()
        yield found


def test_a_disk_that_becomes_read_only_ends_both_daemons_and_what_was_committed_is_there_after_it(
    fleet, failing
):
    fleet.goes_on("trades")
    trades = fleet.rows("SELECT * FROM trades")

    failing.fail()

    for name, who in ((BACKFILLER, "backfiller"), (ID, "trader")):
        assert fleet.status(name) == IO_ERROR, fleet.said(name)
        assert fleet.last_line(name) == (
            f"{who}: {fleet.path}: disk I/O error: the disk failed: look at the system's log"
        )
        assert "Traceback" not in fleet.said(name)
    failing.unmount()
    failing.mount()
    assert set(trades) <= set(fleet.rows("SELECT * FROM trades"))
    fleet.start_both()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()


def test_a_volume_that_is_read_only_at_the_start_is_refused_in_one_line(fleet_on_it, disk):
    fleet = fleet_on_it
    fleet.stop_both()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for said in fleet.refuses(MISTAKE).values():
        assert "DATABASE_URL: expected what user id" in said
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    fleet.start_both()
    fleet.goes_on("trades")
    fleet.assert_nothing_is_wrong()
