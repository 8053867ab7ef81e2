"""What tests ask of the programs that they run."""

import os
import subprocess

import psutil

from tests.processes import is_running


def test_a_process_that_nobody_has_asked_for_its_status_has_ended() -> None:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert psutil.pid_exists(process.pid)
        assert not is_running(process.pid)


def test_a_process_runs_until_it_has_ended() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        assert is_running(process.pid)
        process.communicate()

    assert not is_running(process.pid)
