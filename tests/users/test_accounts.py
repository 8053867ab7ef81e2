"""`/api/users`: one person at every account."""

import asyncpg
import pytest

from app.worker import Jobs
from simulator.followers import unionid_of
from tests.service import APPID, OPENID, OTHER_OPENID, Service, event
from tests.unionid_resolution.conftest import MINI_PROGRAM


async def test_a_person_is_found_by_openid_before_and_after_the_unionid_is_known(
    service: Service, jobs: Jobs
) -> None:
    await service.push(event(service.clock, "subscribe"))
    before = await service.read("users", appid=APPID, openid=OPENID)
    await jobs.resolve({"appid": APPID})
    after = await service.read("users", appid=APPID, openid=OPENID)

    assert (before["unionid"], before["openids"][0]["state"]) == (None, "pending")
    assert before["openids"][0]["reason"] == "not_yet_asked"
    assert after["unionid"] == unionid_of(OPENID)
    assert after == await service.read(f"users/{unionid_of(OPENID)}")
    (known,) = after["openids"]
    assert (known["openid"], known["state"], known["reason"]) == (OPENID, "resolved", None)
    assert known["first_seen_at"] == service.clock.now().isoformat().replace("+00:00", "Z")


async def test_a_person_has_an_openid_at_each_account(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    await service.push(event(service.clock, "subscribe", openid=OTHER_OPENID))
    await jobs.resolve({"appid": APPID})
    await connection.execute(
        "INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at, resolve_state) "
        "VALUES ($1, 'oMINI', $2, now(), now(), 'resolved')",
        MINI_PROGRAM,
        unionid_of(OPENID),
    )

    found = await service.read(f"users/{unionid_of(OPENID)}")

    assert [(one["appid"], one["openid"]) for one in found["openids"]] == sorted(
        [(APPID, OPENID), (MINI_PROGRAM, "oMINI")]
    )


@pytest.mark.parametrize("path", ["users/oNOBODY", f"users?appid={APPID}&openid=oNOBODY"])
async def test_nobody_is_not_found(service: Service, path: str) -> None:
    assert (await service.api("GET", path)).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "users",
        f"users?appid={APPID}",
        f"users?appid={APPID}&openid=",
        f"users?appid={APPID}&openid=a%00b",
        "users/a%00b",
        f"users/{'x' * 129}",
    ],
)
async def test_what_can_be_no_id_is_refused(service: Service, path: str) -> None:
    assert (await service.api("GET", path)).status_code == 422
