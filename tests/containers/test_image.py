"""The image, and who may use the data folder."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.containers.running import ROOT, ContainerSuite

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.containers

_ENGINE = """
from common.engine import load_driver
driver = load_driver()
print(driver.__name__, driver.sqlite_version)
"""


def run(image: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "run", "--rm", "--network", "none", image, *command],
        capture_output=True,
        text=True,
        check=check,
    )


def test_the_image_carries_a_fixed_engine(image):
    assert run(image, "python", "-c", _ENGINE).stdout.startswith("pysqlite3.dbapi2 3.")


def test_the_image_runs_as_a_user_and_has_nothing_to_build_with(image):
    assert run(image, "id", "-u").stdout.strip() == "1000"
    missing = run(
        image, "sh", "-c", "command -v gcc npm; python -c 'import setuptools'", check=False
    )
    assert missing.returncode != 0
    assert missing.stdout == ""


def test_the_image_holds_no_data_and_no_secrets_of_the_tree(image):
    found = run(
        image, "find", "/app", "-name", ".env*", "-o", "-name", ".git*", "-o", "-name", "*.db*"
    )
    assert found.stdout == ""


def test_every_module_has_its_bytecode_since_nobody_can_write_it_later(image):
    program = "import common.database as m, pathlib; print(pathlib.Path(m.__cached__).exists())"
    assert run(image, "python", "-c", program).stdout.strip() == "True"


@pytest.fixture
def suite(image, tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root, to give folders to others")
    data = tmp_path / "data"
    data.mkdir()
    made = ContainerSuite(
        f"candlewell-test-owner-{os.getpid()}", data, ("-f", "docker-compose.yml")
    )
    yield made
    made.down()


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


def test_a_data_folder_of_root_is_given_to_the_suites_user_with_what_in_it_is_roots(
    suite, tmp_path
):
    (suite.data / "backups").mkdir()
    (suite.data / "backups" / "old.db").touch()
    outside = tmp_path / "outside"
    outside.touch()
    (suite.data / "link").symlink_to(outside)
    suite.compose("run", "--rm", "--no-deps", "data-folder")
    assert owners(suite.data) == {1000}
    assert outside.stat().st_uid == 0


def test_a_private_data_folder_of_root_is_given_away_with_all_that_is_in_it(suite):
    (suite.data / "backups").mkdir(mode=0o700)
    (suite.data / "backups" / "old.db").touch()
    (suite.data / "trading.db").touch()
    suite.data.chmod(0o700)
    suite.compose("run", "--rm", "--no-deps", "data-folder")
    assert owners(suite.data) == {1000}


def test_a_data_folder_of_somebody_else_stays_theirs_and_the_message_says_so(suite):
    os.chown(suite.data, 4242, 4242)
    (suite.data / "of-root").touch()
    suite.compose("run", "--rm", "--no-deps", "data-folder")
    assert owners(suite.data) == {4242, 0}
    refused = suite.compose("run", "--rm", "--no-deps", "schema", check=False)
    assert refused.returncode == 2
    said = refused.stdout + refused.stderr
    assert "user id 1000 can write" in said
    assert "4242" in said


@pytest.mark.usefixtures("engine")
def test_the_engine_compiled_for_other_machines_is_fixed_too():
    """What arm64 gets, built here: no pysqlite3 wheel exists there."""
    tag = "candlewell-compiled-test"
    built = subprocess.run(
        ["docker", "build", "--tag", tag, "--build-arg", "SQLITE_ENGINE=compiled", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    try:
        name, version = run(tag, "python", "-c", _ENGINE).stdout.split()
    finally:
        subprocess.run(["docker", "rmi", tag], check=True, capture_output=True)
    assert name == "pysqlite3.dbapi2"
    assert tuple(map(int, version.split("."))) >= (3, 53)
