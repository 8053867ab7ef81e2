"""`/api/recipients`: who may still be sent subscription notifications."""

import asyncpg
import pytest

from app.users import recipients
from tests.console.people import TEMPLATE, deliver, subscribe
from tests.service import APPID, OPENID, OTHER_OPENID, Service


async def test_people_are_counted_and_listed(service: Service) -> None:
    await subscribe(service)
    await subscribe(service)
    await subscribe(service, OTHER_OPENID, "reject")

    assert (await service.read("stats/recipients"))["items"] == [
        {"appid": APPID, "template_id": TEMPLATE, "people": 1}
    ]
    (found,) = (await service.read("recipients", appid=APPID, template_id=TEMPLATE))["items"]
    assert (found["openid"], found["state"], found["sends_left"]) == (OPENID, "accept", 2)


async def test_a_delivery_uses_up_a_popup(service: Service) -> None:
    await subscribe(service)
    await deliver(service, "0")

    assert (await service.read("stats/recipients"))["items"] == []


@pytest.mark.parametrize("taken", ["reserved", "written_off"])
async def test_a_consent_that_is_taken_is_not_to_be_had(
    service: Service, connection: asyncpg.Connection, taken: str
) -> None:
    for openid in (OPENID, OPENID, OTHER_OPENID):
        await subscribe(service, openid)
    await take(connection, taken, OPENID, OTHER_OPENID)

    assert (await service.read("stats/recipients"))["items"] == [
        {"appid": APPID, "template_id": TEMPLATE, "people": 1}
    ]
    (found,) = (await service.read("recipients", appid=APPID, template_id=TEMPLATE))["items"]
    assert (found["openid"], found["sends_left"]) == (OPENID, 1)
    other = await service.read("users", appid=APPID, openid=OTHER_OPENID)
    assert [one["sends_left"] for one in other["consents"]] == [0]


async def take(connection: asyncpg.Connection, column: str, *openids: str) -> None:
    """Let a notice reserve one consent of each person, or WeChat say that it is used up."""
    await connection.execute(
        f"INSERT INTO notice_consents (appid, openid, template_id, {column}) "  # noqa: S608
        "SELECT $1, openid, $2, 1 FROM unnest($3::text[]) openid",
        APPID,
        TEMPLATE,
        list(openids),
    )


@pytest.mark.parametrize("read", [1, 2, 50_000])
async def test_pages_miss_and_repeat_nobody(
    service: Service, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, read: int
) -> None:
    monkeypatch.setattr(recipients, "MAX_READ", read)
    openids = [f"oPERSON{number:021d}" for number in range(5)]
    taken = [f"oPERSON{number:021d}t" for number in (0, 1, 4)]
    for openid in (*openids, *taken):
        await subscribe(service, openid)
    await take(connection, "reserved", *taken)
    seen: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = await service.read("recipients", appid=APPID, template_id=TEMPLATE, limit=2, **more)
        seen += [one["openid"] for one in page["items"]]
        if page["next"] is None:
            break
        more = {"after": page["next"]}

    assert seen == openids


async def test_more_people_than_are_counted_are_the_most(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "MAX_COUNTED", 2)
    for number in range(3):
        await subscribe(service, f"oPERSON{number:021d}")

    assert (await service.read("stats/recipients"))["items"][0]["people"] == 2


async def test_another_account_has_its_own_numbers(service: Service) -> None:
    await subscribe(service)

    assert (await service.read("stats/recipients", appid="wx00000000000000ff"))["items"] == []


async def test_the_list_reads_one_range_of_an_index(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        plan = await connection.fetch(
            "EXPLAIN SELECT * FROM consents WHERE appid = 'a' AND template_id = 't'"
            " AND sends_left > 0 AND openid > 'o' ORDER BY openid LIMIT 51"
        )
    finally:
        await connection.close()
    text = "\n".join(row[0] for row in plan)

    assert "ix_consents_sends" in text
    assert "Sort" not in text


@pytest.mark.parametrize("path", ["recipients?appid=a&template_id=t", "stats/recipients"])
async def test_a_token_is_needed(service: Service, path: str) -> None:
    assert (await service.http.get(f"/api/{path}")).status_code == 401
