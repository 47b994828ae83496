"""The check itself: what it makes of a heartbeat file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from tests.health.daemon import ROOT


def check(file: str | None) -> tuple[int, str]:
    kept = {name: text for name, text in os.environ.items() if name != "HEARTBEAT_FILE"}
    done = subprocess.run(
        [sys.executable, "-m", "common.healthcheck"],
        cwd=ROOT,
        env=kept | ({} if file is None else {"HEARTBEAT_FILE": file}),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_without_a_file_it_says_what_is_missing(tmp_path):
    assert check(None) == (
        1,
        "unhealthy: HEARTBEAT_FILE: expected the daemon's heartbeat file, found none",
    )
    file = tmp_path / "none"
    status, said = check(str(file))
    assert status == 1
    assert said == f"unhealthy: expected a heartbeat in {file}, found: No such file or directory"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": 1}', "\x00\x01"])
def test_a_file_with_something_else_in_it_is_one_line_and_no_traceback(tmp_path, content):
    file = tmp_path / "heartbeat"
    file.write_text(content)
    status, said = check(str(file))
    assert status == 1
    assert said.startswith(f"unhealthy: expected a heartbeat in {file}, found another content")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(("age_s", "status"), [(1.0, 0), (29.0, 0), (31.0, 1), (-3600.0, 1)])
def test_a_heartbeat_is_good_for_as_long_as_it_says_and_not_from_before_a_reboot(
    tmp_path, age_s, status
):
    file, beat = tmp_path / "heartbeat", time.monotonic() - age_s
    told = {"state": "ok", "detail": "", "problem": "", "achieved": "it", "beat": beat}
    file.write_text(json.dumps(told | {"good_until": beat + 30.0}))
    assert check(str(file))[0] == status


def test_it_loads_nothing_but_what_python_has(tmp_path):
    script = "import common.healthcheck, sys; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded - {"common", "__main__"} <= set(sys.stdlib_module_names)
