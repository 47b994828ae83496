"""What a container may do, found out inside each one that runs: by trying, not by reading the compose file."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.containers.running import DAEMONS, GROUP, OWNER, ROOT, TRADERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.containers.running import ContainerSuite

pytestmark = pytest.mark.containers
EXCHANGE_PORT = 8900
MEMORY_MB = dict.fromkeys(TRADERS, 256) | {"backfiller": 384, "practice": 384}
PROCESSES = 64

_RIGHTS = """
import json, pathlib
found = {}
for process in pathlib.Path("/proc").iterdir():
    if process.name.isdigit():
        lines = (process / "status").read_text().splitlines()
        status = {key: value.split() for key, value in (line.split(":", 1) for line in lines)}
        found[process.name] = {
            "ids": sorted({*status["Uid"], *status["Gid"], *status["Groups"]}),
            "capabilities": sum(int(status["Cap" + one][0], 16) for one in ("Inh", "Prm", "Eff", "Bnd", "Amb")),
            "no_new_privileges": status["NoNewPrivs"][0],
            "seccomp": status["Seccomp"][0],
        }
print(json.dumps(found))
"""

# A file made in each folder, and each file opened for writing, with nothing written. Devices are for writing.
_WRITABLE = """
import json, os, stat, sys
folders, files = set(), set()
def is_writable(path, flags):
    try:
        os.close(os.open(path, flags | os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
for folder, inside, names in os.walk("/"):
    if folder == "/proc":
        inside[:] = [name for name in inside if not name.isdigit() and name not in ("self", "thread-self")]
    if is_writable(folder + "/written-by-a-test", os.O_CREAT | os.O_EXCL):
        os.unlink(folder + "/written-by-a-test")
        folders.add(folder)
    for name in names:
        path = folder + "/" + name
        if stat.S_ISREG(os.lstat(path).st_mode) and is_writable(path, 0):
            files.add(path)
print(json.dumps({"folders": sorted(folders), "files": sorted(files)}))
"""

_EXECUTES = """
import os, subprocess, sys
with open("/tmp/program", "w") as file:
    file.write("#!/bin/sh\\necho executed\\n")
os.chmod("/tmp/program", 0o755)
try:
    print(subprocess.run(["/tmp/program"], capture_output=True, text=True).stdout)
except PermissionError:
    print("refused")
finally:
    os.unlink("/tmp/program")
"""

_PORTS = """
import json, os
found = []
for kind, listening in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
    path = "/proc/net/" + kind
    for line in open(path).read().splitlines()[1:] if os.path.exists(path) else ():
        address, state = line.split()[1], line.split()[3]
        host, port = address.split(":")
        is_loopback = host.endswith("7F") if len(host) == 8 else host == "0" * 24 + "01000000"
        if state == listening and not is_loopback:  # Docker's own resolver is on 127.0.0.11
            found.append([kind, int(port, 16)])
print(json.dumps(found))
"""

_NETWORK = """
import json, os, socket
names = sorted(name for _, name in socket.if_nameindex())
routes = open("/proc/net/route").read().splitlines()[1:]
try:
    socket.create_connection(("198.51.100.1", 443), timeout=3).close()
    reached = "connected"
except OSError as error:
    reached = os.strerror(error.errno) if error.errno else str(error)
print(json.dumps({"interfaces": names, "routes": len(routes), "reached": reached}))
"""

# As many children as there may be, which wait for the end of a pipe.
_FORKS = """
import os, signal
reading, writing = os.pipe()
children = []
try:
    for _ in range(500):
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
        children.append(child)
except BlockingIOError:
    pass
os.close(writing)
for child in children:
    os.waitpid(child, 0)
print(len(children))
"""

_LIMITS = """
import json, pathlib
def read(*paths):
    return next((pathlib.Path(path).read_text().strip() for path in paths if pathlib.Path(path).exists()), "")
cgroup = "/sys/fs/cgroup/"
print(json.dumps({
    "memory": read(cgroup + "memory.max", cgroup + "memory/memory.limit_in_bytes"),
    "processes": read(cgroup + "pids.max", cgroup + "pids/pids.max"),
}))
"""


def asked(suite: ContainerSuite, service: str, program: str) -> Any:
    """The JSON that a program prints inside."""
    return json.loads(suite.python(service, program))


@pytest.mark.parametrize("service", DAEMONS)
def test_no_process_has_a_right_or_a_way_to_get_one(suite, service):
    processes = asked(suite, service, _RIGHTS)
    assert len(processes) >= 3  # init, the daemon, and the one that looks
    for process in processes.values():
        assert process == {
            "ids": sorted({OWNER, GROUP}),
            "capabilities": 0,
            "no_new_privileges": "1",
            "seccomp": "2",  # a filter
        }
    assert OWNER != "0"


@pytest.mark.parametrize("service", DAEMONS)
def test_only_its_data_and_its_memory_can_be_written(suite, service):
    found = asked(suite, service, _WRITABLE)
    shared = {"/tmp", "/dev/shm", "/dev/mqueue"}  # in memory, and never executed
    folders = {path for path in found["folders"] if not within("/app/data", path)}
    assert folders == shared
    assert "/app/data" in found["folders"]
    # To open those asks the kernel to tell of its load; nothing can be kept there.
    files = {path for path in found["files"] if not within("/proc/pressure", path)}
    files = {path for path in files if not within("/app/data", path)}
    assert files <= {"/tmp/heartbeat"}
    assert "written-by-a-test" not in str(list(suite.data.iterdir()))


def within(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


@pytest.mark.parametrize("service", DAEMONS)
def test_what_is_written_to_tmp_cannot_be_executed(suite, service):
    assert suite.python(service, _EXECUTES).strip() == "refused"


@pytest.mark.parametrize("service", DAEMONS)
def test_nothing_listens_but_the_practice_exchange_and_nothing_is_published(suite, service):
    expected = [["tcp", EXCHANGE_PORT]] if service == "practice" else []
    assert asked(suite, service, _PORTS) == expected
    assert not any(suite.inspect(service)["NetworkSettings"]["Ports"].values())


@pytest.mark.parametrize("service", TRADERS)
def test_a_paper_trader_has_no_network_to_speak_to(suite, service):
    found = asked(suite, service, _NETWORK)
    assert found == {"interfaces": ["lo"], "routes": 0, "reached": "Network is unreachable"}


@pytest.mark.parametrize("service", DAEMONS)
def test_the_kernel_knows_the_limits_of_memory_and_processes(suite, service):
    assert asked(suite, service, _LIMITS) == {
        "memory": str(MEMORY_MB[service] * 2**20),
        "processes": str(PROCESSES),
    }


def test_no_more_processes_are_started_than_allowed(suite):
    started = int(suite.python(TRADERS[0], _FORKS))
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
