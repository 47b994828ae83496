"""The suite in containers, as tests drive it: a project and a data folder of its own, the documented files."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]
PRACTICE = ("-f", "docker-compose.yml", "-f", "docker-compose.practice.yml")
TRADERS = ("trader-btc-binance-1h", "trader-eth-binance-15m", "trader-btc-coinbase-1h")
DAEMONS = ("backfiller", "practice", *TRADERS)
DEADLINE_S = 120.0

# Root's folders are given to 1000 by the suite; somebody else's stay theirs, so they run it as themselves.
OWNER = str(os.getuid() or 1000)
GROUP = str(os.getgid() or 1000) if os.getuid() else "1000"


def wait_until(what: str, condition: Callable[[], bool], within_s: float = DEADLINE_S) -> None:
    """Asks again and again until it is so."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {within_s:.0f} s for {what}"
        time.sleep(0.2)


class ContainerSuite:
    """A docker-compose project on a data folder."""

    def __init__(
        self, project: str, data: Path, files: Sequence[str] = PRACTICE, folder: Path = ROOT
    ) -> None:
        self.data = data
        self._files = files
        self._folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            "COMPOSE_PROJECT_NAME": project,
            "DATA_DIR": str(data),
            "PUID": OWNER,
            "PGID": GROUP,
        }

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.data / 'trading.db'}"

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs docker-compose on the project; its output is in the error if it fails."""
        done = subprocess.run(
            ["docker", "compose", *self._files, *arguments],
            cwd=self._folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if check:
            assert done.returncode == 0, (
                f"docker-compose {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    def up(self) -> None:
        """Starts what does not run, and waits until all of it is healthy."""
        self.compose("up", "--detach")
        for service in DAEMONS:
            self.wait_for_health(service)

    def wait_for_health(self, service: str, wanted: str = "healthy") -> None:
        try:
            wait_until(f"{service} to be {wanted}", lambda: self.health(service) == wanted)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs(service)}") from None

    def container(self, service: str) -> str:
        return self.compose("ps", "--all", "--quiet", service).stdout.strip()

    def inspect(self, service: str) -> dict[str, Any]:
        found = subprocess.run(
            ["docker", "inspect", self.container(service)],
            capture_output=True,
            text=True,
            check=True,
        )
        one: dict[str, Any] = json.loads(found.stdout)[0]
        return one

    def health(self, service: str) -> str:
        state = self.inspect(service)["State"]
        return str(state["Health"]["Status"]) if state["Running"] else str(state["Status"])

    def logs(self, service: str) -> str:
        return self.compose("logs", "--tail", "30", service, check=False).stdout

    def python(self, service: str, program: str, *arguments: str) -> str:
        """What a Python program prints inside a running container."""
        return self.compose("exec", "-T", service, "python", "-c", program, *arguments).stdout

    def signal(self, service: str, name: str) -> None:
        """Sends a signal to the daemon itself, as a crash inside the container would end it."""
        # A container that ends takes this command with it, so what becomes of that says nothing.
        self.compose("exec", "-T", service, "python", "-c", _SIGNAL, name, check=False)

    def exchange_url(self) -> str:
        """Where this machine reaches the practice exchange, whose network has no way out."""
        networks = self.inspect("practice")["NetworkSettings"]["Networks"]
        (network,) = networks.values()
        return f"http://{network['IPAddress']}:8900"

    def down(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "20")


_SIGNAL = """
import os, pathlib, signal, sys
for process in pathlib.Path("/proc").iterdir():
    if process.name.isdigit() and int(process.name) not in (1, os.getpid()):
        if b"-m" in (process / "cmdline").read_bytes().split(bytes(1))[:2]:
            os.kill(int(process.name), getattr(signal, sys.argv[1]))
"""
