"""The figures of notices."""

import asyncpg
import pytest

from app.worker import Jobs
from tests.notices.conftest import service
from tests.notices.makers import BIZSEND, PARCEL, decided, queued, reported, run, settle
from tests.service import Service, WeChat, clock, jobs, settings, wechat

__all__ = ["clock", "jobs", "service", "settings", "wechat"]

pytestmark = pytest.mark.asyncio


async def test_notices_are_counted_by_day_and_template_with_the_reasons(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await decided(service, wechat, times=3)
    for errcode in (None, 47003, None, None):
        if errcode is not None:
            wechat.strike(BIZSEND, errcode=errcode, count=1)
        await run(jobs, (await queued(service))["send_id"])
    await queued(service)
    await reported(service, wechat.state.notices.sent[0].msgid, code="1")
    await settle(jobs, connection)

    found = await service.read("stats/notices")
    (day,) = found["days"]
    assert (day["template_id"], day["undelivered"], day["failed"], day["sent"]) == (PARCEL, 1, 1, 2)
    assert (day["pending"], day["skipped"], day["delivered"]) == (1, 0, 0)
    reasons = [(one["status"], one["errcode"], one["reason"]) for one in found["reasons"]]
    assert reasons == [
        ("failed", 47003, ""),
        ("undelivered", None, "1 user refuse to accept the msg"),
    ]
    assert "names the field" in found["reasons"][0]["meaning"]
    assert (await service.read("stats/notices", template_id="TPL_other"))["days"] == []
    assert (await service.read("stats/notices", until="2020-01-01"))["days"] == []
