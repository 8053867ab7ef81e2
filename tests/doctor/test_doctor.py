"""What the doctor of one process remembers."""

import asyncio
from datetime import timedelta

import pytest

from app.doctor import doctor as examining
from app.doctor.doctor import FRESH_FOR, Doctor
from app.doctor.facts import Facts
from app.doctor.gather import gather
from tests.service import Service


async def test_findings_are_read_once_in_a_few_seconds_however_many_ask(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor: Doctor = service.app.state.doctor
    readings = 0

    async def counting(*arguments: object) -> Facts:
        nonlocal readings
        readings += 1
        return await gather(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(examining, "gather", counting)
    first = await asyncio.gather(*(doctor.recent_findings() for _ in range(5)))
    at_once = readings
    service.clock.advance(FRESH_FOR - timedelta(seconds=1))
    await doctor.recent_findings()
    while_fresh = readings
    service.clock.advance(timedelta(seconds=1))
    await doctor.recent_findings()

    assert (at_once, while_fresh, readings) == (1, 1, 2)
    assert all(found == first[0] for found in first)
