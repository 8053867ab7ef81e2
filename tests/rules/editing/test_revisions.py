"""Revisions and ETags: no change is lost, and every state can be restored."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.engine import Database
from tests.rules.conftest import CALLER
from tests.rules.makers import as_posted

Answer = httpx.Response


async def posted(client: httpx.AsyncClient, **changes: object) -> Answer:
    answer = await client.post("/api/rules", json=as_posted(**changes))
    assert answer.status_code == 201, answer.text
    return answer


async def put(client: httpx.AsyncClient, rule_id: int, etag: str, **changes: object) -> Answer:
    headers = {"If-Match": etag}
    return await client.put(f"/api/rules/{rule_id}", json=as_posted(**changes), headers=headers)


async def history(client: httpx.AsyncClient, rule_id: int) -> list[tuple[int, str, str]]:
    answer = await client.get(f"/api/rules/{rule_id}/revisions")
    items = answer.json()["items"]
    return [(item["revision"], item["change"], item["rule"]["name"]) for item in items]


async def test_a_change_made_from_an_old_state_is_refused(client: httpx.AsyncClient) -> None:
    first = await posted(client)
    rule_id, etag = first.json()["id"], first.headers["ETag"]
    changed = await put(client, rule_id, etag, name="Mine")

    late = await put(client, rule_id, etag, name="Yours")
    gone = await client.delete(f"/api/rules/{rule_id}", headers={"If-Match": etag})

    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert (late.status_code, gone.status_code) == (412, 412)
    assert late.headers["ETag"] == '"2"'
    assert (await client.get(f"/api/rules/{rule_id}")).json()["name"] == "Mine"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_change_has_to_name_what_it_changes(client: httpx.AsyncClient, method: str) -> None:
    rule_id = (await posted(client)).json()["id"]
    body = as_posted() if method == "PUT" else None

    answer = await client.request(method, f"/api/rules/{rule_id}", json=body)

    assert answer.status_code == 428
    assert "If-Match" in answer.json()["detail"]


@pytest.mark.parametrize("etag", ['"0"', '"2"', 'W/"2"'])
async def test_a_tag_of_another_revision_does_not_fit(client: httpx.AsyncClient, etag: str) -> None:
    rule_id = (await posted(client)).json()["id"]

    assert (await put(client, rule_id, etag)).status_code == 412
    assert (await put(client, rule_id, f'{etag}, "1"')).status_code == 200


async def test_every_state_is_kept_with_who_and_when(client: httpx.AsyncClient) -> None:
    rule_id = (await posted(client, name="One")).json()["id"]
    await put(client, rule_id, '"1"', name="Two")
    await client.delete(f"/api/rules/{rule_id}", headers={"If-Match": '"2"'})

    assert await history(client, rule_id) == [
        (3, "deleted", "Two"),
        (2, "changed", "Two"),
        (1, "added", "One"),
    ]
    newest = (await client.get(f"/api/rules/{rule_id}/revisions")).json()["items"][0]
    assert newest["operator"] == CALLER.name
    assert newest["changed_at"]


async def test_the_states_of_a_rule_come_a_page_at_a_time(client: httpx.AsyncClient) -> None:
    rule_id = (await posted(client)).json()["id"]
    for number in range(4):
        await put(client, rule_id, "*", name=f"Name {number}")
    path, pages, query = f"/api/rules/{rule_id}/revisions", [], {"limit": 2}
    while True:
        page = (await client.get(path, params=query)).json()
        pages.append([item["revision"] for item in page["items"]])
        if page["next"] is None:
            break
        query["before"] = page["next"]

    assert pages == [[5, 4], [3, 2], [1]]
    behind = await client.get(path, params={"before": 1})
    assert behind.json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("limit=0", "limit", "must be 1 or more"),
        ("limit=201", "limit", "must be 200 or less"),
        ("before=0", "before", "must be 1 or more"),
        ("before=last", "before", "whole number"),
        ("after=1", "after", "is not known here"),
    ],
)
async def test_a_page_of_states_that_is_none_is_refused(
    client: httpx.AsyncClient, query: str, field: str, words: str
) -> None:
    rule_id = (await posted(client)).json()["id"]

    refused = await client.get(f"/api/rules/{rule_id}/revisions?{query}")

    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert problem["loc"] == ["query", field]
    assert words in problem["msg"]


async def test_an_earlier_state_can_be_had_again(client: httpx.AsyncClient) -> None:
    rule_id = (await posted(client, name="One")).json()["id"]
    await put(client, rule_id, '"1"', name="Two")
    restore = f"/api/rules/{rule_id}/revisions/1/restore"

    unnamed = await client.post(restore)
    stale = await client.post(restore, headers={"If-Match": '"1"'})
    restored = await client.post(restore, headers={"If-Match": '"2"'})

    assert (unnamed.status_code, stale.status_code) == (428, 412)
    assert (restored.json()["name"], restored.headers["ETag"]) == ("One", '"3"')
    assert (await history(client, rule_id))[0] == (3, "restored", "One")


async def test_a_deleted_rule_comes_back_under_its_old_id(client: httpx.AsyncClient) -> None:
    rule_id = (await posted(client)).json()["id"]
    await client.delete(f"/api/rules/{rule_id}", headers={"If-Match": "*"})

    restored = await client.post(f"/api/rules/{rule_id}/revisions/1/restore")

    assert (restored.status_code, restored.json()["id"]) == (200, rule_id)
    assert (await posted(client)).json()["id"] > rule_id


async def test_what_never_was_can_not_be_restored(client: httpx.AsyncClient) -> None:
    rule_id = (await posted(client)).json()["id"]
    headers = {"If-Match": "*"}

    for path in (f"{rule_id}/revisions/9/restore", f"{rule_id + 1}/revisions/1/restore"):
        assert (await client.post(f"/api/rules/{path}", headers=headers)).status_code == 404
    assert (await client.get(f"/api/rules/{rule_id + 1}/revisions")).status_code == 404


async def test_conditions_and_utm_are_stored_as_written(client: httpx.AsyncClient) -> None:
    conditions = {
        "from": "2026-11-24T12:00:00Z",
        "hours": {"start": "09:00", "end": "18:00", "tz": "Asia/Shanghai", "days": [1, 2]},
        "follower": {"state": "following", "min_age_seconds": 60},
        "cooldown_seconds": 3600,
        "share": {"percent": 12.5, "salt": "a"},
    }
    utm = {"source": "oa", "campaign": "spring"}

    added = (await posted(client, conditions=conditions, utm=utm)).json()

    read = (await client.get(f"/api/rules/{added['id']}")).json()
    assert read == added
    assert (read["conditions"], read["utm"]) == (conditions, utm)


async def test_an_error_of_the_database_repeats_no_value(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.sessions() as session:
            await session.execute(text("SELECT 1 / CAST(:words AS int)"), {"words": 0})

    assert "hidden" in str(caught.value)
