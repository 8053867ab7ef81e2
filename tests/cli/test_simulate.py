"""`oa-bridge simulate` as a process."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.e2e.children import Child, oa_bridge
from tests.processes import free_port, is_running
from tests.waiting import PATIENCE_SECONDS, eventually


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_the_simulator_ends_with_its_command(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    child = Child("simulate", oa_bridge("simulate", "--port", str(port)), tmp_path, port=port)
    try:
        child.start()
        child.listen()
        family = [child.process.pid]
        family += [one.pid for one in psutil.Process(child.process.pid).children(recursive=True)]
        child.process.send_signal(number)
        status = await child.ended(PATIENCE_SECONDS)

        async def are_gone() -> bool:
            return not any(map(is_running, family))

        await eventually(are_gone, "the simulator to end")
    finally:
        child.clean_up()

    assert status == (0 if number is signal.SIGTERM else -signal.SIGKILL)
