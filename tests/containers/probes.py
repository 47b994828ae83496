"""Programs that find out, inside a running container, what may be done there: by trying. Most print JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.containers.running import GROUP, OWNER

if TYPE_CHECKING:
    from tests.containers.running import ContainerSuite

RIGHTS = """
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
WRITABLE = """
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

EXECUTES = """
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

PORTS = """
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

NETWORK = """
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
FORKS = """
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

LIMITS = """
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


def require_no_rights(suite: ContainerSuite, service: str) -> None:
    """No process is root's, has a capability, could get one, or calls the kernel without a filter."""
    assert OWNER != "0"
    processes = asked(suite, service, RIGHTS)
    assert len(processes) >= 3  # init, the daemon, and the one that looks
    for process in processes.values():
        assert process == {
            "ids": sorted({OWNER, GROUP}),
            "capabilities": 0,
            "no_new_privileges": "1",
            "seccomp": "2",  # a filter
        }


def require_only_data_is_writable(suite: ContainerSuite, service: str) -> None:
    """The data folder, and three places in memory."""
    found = asked(suite, service, WRITABLE)
    folders = {path for path in found["folders"] if not _within("/app/data", path)}
    assert folders == {"/tmp", "/dev/shm", "/dev/mqueue"}
    assert "/app/data" in found["folders"]
    # To open those asks the kernel to tell of its load; nothing can be kept there.
    files = {path for path in found["files"] if not _within("/proc/pressure", path)}
    files = {path for path in files if not _within("/app/data", path)}
    assert files <= {"/tmp/heartbeat"}


def _within(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
