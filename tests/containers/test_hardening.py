"""What a container may do, found out inside each one that runs: by trying, not by reading the compose file."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.containers import probes
from tests.containers.running import DAEMONS, ROOT, TRADERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.containers
EXCHANGE_PORT = 8900
MEMORY_MB = dict.fromkeys(TRADERS, 256) | {"backfiller": 384, "practice": 384}
PROCESSES = 64


@pytest.mark.parametrize("service", DAEMONS)
def test_no_process_has_a_right_or_a_way_to_get_one(suite, service):
    probes.require_no_rights(suite, service)


@pytest.mark.parametrize("service", DAEMONS)
def test_only_its_data_and_its_memory_can_be_written(suite, service):
    probes.require_only_data_is_writable(suite, service)
    assert "written-by-a-test" not in str(list(suite.data.iterdir()))


@pytest.mark.parametrize("service", DAEMONS)
def test_what_is_written_to_tmp_cannot_be_executed(suite, service):
    assert suite.python(service, probes.EXECUTES).strip() == "refused"


@pytest.mark.parametrize("service", DAEMONS)
def test_nothing_listens_but_the_practice_exchange_and_nothing_is_published(suite, service):
    expected = [["tcp", EXCHANGE_PORT]] if service == "practice" else []
    assert probes.asked(suite, service, probes.PORTS) == expected
    assert not any(suite.inspect(service)["NetworkSettings"]["Ports"].values())


@pytest.mark.parametrize("service", TRADERS)
def test_a_paper_trader_has_no_network_to_speak_to(suite, service):
    found = probes.asked(suite, service, probes.NETWORK)
    assert found == {"interfaces": ["lo"], "routes": 0, "reached": "Network is unreachable"}


@pytest.mark.parametrize("service", DAEMONS)
def test_the_kernel_knows_the_limits_of_memory_and_processes(suite, service):
    assert probes.asked(suite, service, probes.LIMITS) == {
        "memory": str(MEMORY_MB[service] * 2**20),
        "processes": str(PROCESSES),
    }


def test_no_more_processes_are_started_than_allowed(suite):
    started = int(suite.python(TRADERS[0], probes.FORKS))
    assert 40 < started < PROCESSES
    suite.wait_for_health(TRADERS[0])


def test_who_takes_more_memory_than_allowed_is_ended_and_not_the_machine(suite):
    more = f"print(len(bytearray(b'x' * {(MEMORY_MB[TRADERS[0]] + 64) * 2**20})))"
    done = suite.compose("exec", "-T", TRADERS[0], "python", "-c", more, check=False)
    assert done.returncode == 137, done.stdout + done.stderr  # SIGKILL
    suite.wait_for_health(TRADERS[0])


# --- secrets ---------------------------------------------------------------------------------------------------

PLANTED = "a-secret-of-the-builder-0d4f"
_PLACES = (".env", "secrets/binance_api_secret", "data/trading.db", ".git/config", "notes.txt")
_IN_THE_IMAGE = "The life of an order, a line that is in no file of ours until this test adds it"


@pytest.fixture(scope="module")
def planted(image, tmp_path_factory) -> Iterator[str]:
    """An image built from a checkout with secrets lying about where users have them, and in the environment."""
    tree: Path = tmp_path_factory.mktemp("checkout")
    left_out = shutil.ignore_patterns(".*", "__pycache__", "data")
    shutil.copytree(ROOT, tree, ignore=left_out, dirs_exist_ok=True)
    shutil.copy(ROOT / ".dockerignore", tree)
    for name in _PLACES:
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(f"BINANCE_API_SECRET={PLANTED}\n", encoding="utf-8")
    with (tree / "config/trader.yml").open("a", encoding="utf-8") as config:
        config.write(f"# {_IN_THE_IMAGE}\n")  # what is searched would find what is there
    tag = "candlewell-planted-test"
    built = subprocess.run(
        ["docker", "build", "--quiet", "--tag", tag, str(tree)],
        env={
            "BINANCE_API_SECRET": PLANTED,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(tree),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    yield tag
    subprocess.run(["docker", "rmi", "--force", tag], check=True, capture_output=True)


def test_no_layer_of_the_image_nor_its_history_holds_a_secret_of_the_checkout(planted):
    told = subprocess.run(
        ["docker", "history", "--no-trunc", planted], capture_output=True, text=True, check=True
    )
    about = subprocess.run(
        ["docker", "image", "inspect", planted], capture_output=True, text=True, check=True
    )
    assert PLANTED not in told.stdout + about.stdout
    assert found_in_layers(planted, PLANTED, _IN_THE_IMAGE) == {_IN_THE_IMAGE}


def found_in_layers(tag: str, *texts: str) -> set[str]:
    """Which of those are in a layer, deleted later or not: an image is saved as the tar of its layers' tars."""
    wanted = {text.encode(): text for text in texts}
    overlap = max(map(len, wanted))
    found: set[str] = set()
    before = b""
    saving = subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE)
    assert saving.stdout is not None
    with saving.stdout as layers:
        while piece := layers.read(1 << 20):
            found |= {text for secret, text in wanted.items() if secret in before + piece}
            before = piece[-overlap:]
    assert saving.wait() == 0
    return found


@pytest.mark.parametrize("service", [*DAEMONS, "schema", "data-folder"])
def test_what_everybody_with_docker_can_see_of_a_container_holds_no_key(suite, service):
    about = suite.inspect(service)
    given = {name.partition("=")[0] for name in about["Config"]["Env"]}
    assert not [name for name in given if "SECRET" in name or "KEY" in name.split("_")]
    assert "secret" not in json.dumps(about["Config"]["Cmd"]).lower()
    assert not [mount for mount in about["Mounts"] if "secrets" in mount["Destination"]]


def test_the_one_container_that_begins_as_root_has_one_capability_and_no_network(suite):
    host = suite.inspect("data-folder")["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert [one.removeprefix("CAP_") for one in host["CapAdd"]] == ["CHOWN"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not suite.inspect("data-folder")["State"]["Running"]


def test_the_limits_that_docs_security_md_tells_are_these():
    text = (ROOT / "docs/SECURITY.md").read_text(encoding="utf-8")
    assert f"| processes | {PROCESSES} at most |" in text
    trader, backfiller = MEMORY_MB[TRADERS[0]], MEMORY_MB["backfiller"]
    assert f"| memory | a trader {trader} MB, the backfiller {backfiller} MB" in text
    assert "`/tmp` (16 MB), `/dev/shm` (64 MB) and `/dev/mqueue`" in text
