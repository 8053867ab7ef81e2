"""An operator erases somebody: over HTTP and on the command line."""

from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from app.worker import Jobs
from tests.e2e.children import Child, oa_bridge
from tests.privacy.makers import (
    OTHER_OPENID,
    TEXT,
    UNIONID,
    found,
    leave,
    live,
    live_elsewhere,
    work,
)
from tests.service import ACCOUNT, APPID, OPENID, Service, column, message
from tests.waiting import PATIENCE_SECONDS

WITHIN = PATIENCE_SECONDS
WEEK = timedelta(days=7)
SECONDS = timedelta(seconds=5)


async def nobody_is_left(connection: asyncpg.Connection) -> None:
    for word in (OPENID, OTHER_OPENID, UNIONID, "oOLDER-UNIONID"):
        assert await found(connection, word) == {}
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}


async def test_deleting_a_user_erases_them_at_every_account(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await live_elsewhere(connection)

    answer = await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)

    assert (answer.status_code, answer.json()["trigger"]) == (202, "request")
    await nobody_is_left(connection)
    certificate = await service.read(f"erasures/{answer.json()['id']}")
    assert certificate["scope"] == "person"
    assert len(certificate["requested_by"]) == 8
    assert (await service.api("DELETE", f"users/{UNIONID}")).status_code == 404


async def test_deleting_by_openid_finds_the_same_person(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await live_elsewhere(connection)

    answer = await service.http.delete(
        "/api/users",
        params={"appid": APPID, "openid": OPENID},
        headers={"authorization": "Bearer an-admin-token-of-the-tests"},
    )
    await work(jobs, connection)

    assert answer.status_code == 202
    await nobody_is_left(connection)


async def test_a_person_who_still_follows_is_new_after_the_erasure(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)
    service.clock.advance(WEEK)

    await service.push(message(service.clock, "hello again", openid=OPENID))
    await work(jobs, connection)

    assert (await found(connection, "hello again")).keys() == {"callbacks"}
    assert (await service.read("users", appid=APPID, openid=OPENID))["unionid"] is None


async def test_somebody_who_acts_before_the_job_runs_can_be_erased_again(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.api("DELETE", f"users/{UNIONID}")
    service.clock.advance(SECONDS)
    await service.push(message(service.clock, "still here", openid=OPENID))

    await work(jobs, connection)

    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert (await found(connection, "still here")).keys() == {"callbacks"}
    again = await service.api("DELETE", "users", params={"appid": APPID, "openid": OPENID})
    assert again.status_code == 202
    await work(jobs, connection)
    assert await found(connection, OPENID) == {}
    assert await found(connection, UNIONID) == {}


async def test_a_reported_login_that_lies_ahead_keeps_nobody_from_being_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    login = (service.clock.now() + timedelta(minutes=9)).isoformat()
    told = {"appid": APPID, "openid": OPENID, "unionid": UNIONID, "logged_in_at": login}
    await service.api("PUT", "identities", json={"identities": [told]})

    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)

    await nobody_is_left(connection)


async def test_a_repeated_report_without_a_login_keeps_nobody_from_being_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.api("DELETE", f"users/{UNIONID}")
    service.clock.advance(SECONDS)
    told = {"appid": APPID, "openid": OPENID, "unionid": UNIONID}
    await service.api("PUT", "identities", json={"identities": [told]})

    assert await column(
        connection, "SELECT logged_in_at FROM openids WHERE openid = $1", OPENID
    ) == [None]
    await work(jobs, connection)

    await nobody_is_left(connection)


async def test_a_person_who_unfollows_before_the_job_runs_has_not_returned(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.api("DELETE", f"users/{UNIONID}")
    service.clock.advance(SECONDS)
    await service.push(leave(service))

    await work(jobs, connection)

    assert await found(connection, OPENID) == {}


async def test_erasing_somebody_deletes_no_job_that_only_holds_the_letters_of_their_id(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.api(
        "PUT",
        "identities",
        json={"identities": [{"appid": APPID, "openid": OPENID, "unionid": "e"}]},
    )
    await connection.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key) "
        "VALUES (0, 'queued', 'somebody.else', $1, 'somebody.else:1')",
        b'{"reply_id":"1e"}',
    )

    await service.api("DELETE", "users/e")
    await work(jobs, connection)

    assert "somebody.else" in await column(connection, "SELECT entrypoint FROM pgqueuer")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "users/oNOBODY", 404),
        ("DELETE", "users?appid=wx1&openid=oNOBODY", 404),
        ("DELETE", "users?appid=wx1", 422),
        ("DELETE", "users/" + "u" * 200, 422),
        ("GET", "erasures/00000000-0000-0000-0000-000000000000", 404),
        ("GET", "erasures/what", 422),
    ],
)
async def test_an_unknown_id_and_an_invalid_one_get_different_answers(
    service: Service, method: str, path: str, status: int
) -> None:
    assert (await service.api(method, path)).status_code == status


async def test_nobody_erases_without_a_token(service: Service) -> None:
    assert (await service.http.delete("/api/users/u")).status_code == 401


async def run(database_url: str, folder: Path, *arguments: str) -> tuple[int, str]:
    settings = {
        "DATABASE_URL": database_url,
        "WECHAT_APPID": APPID,
        "WECHAT_TOKEN": ACCOUNT.token,
        "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key,
    }
    child = Child("users", oa_bridge("users", "erase", *arguments), folder, settings)
    child.start()
    return await child.ended(WITHIN), child.output()


async def test_the_command_erases_at_once_and_shows_the_certificate(
    service: Service, database_url: str, tmp_path: Path, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await live_elsewhere(connection)

    status, said = await run(database_url, tmp_path, UNIONID, "--yes")

    assert status == 0, said
    assert "2 OpenIDs" in said
    assert OPENID not in said
    await nobody_is_left(connection)
    assert await column(connection, "SELECT requested_by FROM erasures") == ["cli"]


async def test_the_command_names_what_is_wrong(database_url: str, tmp_path: Path) -> None:
    status, said = await run(database_url, tmp_path, "--openid", "oX", "--yes")
    assert (status, "both --appid and --openid" in said) == (2, True)

    status, said = await run(database_url, tmp_path, "oNOBODY", "--yes")
    assert (status, "does not exist" in said) == (1, True)
