"""`PUT /api/rules/{id}`: what GET returned is sent back, and how If-Match may be written."""

import json
from typing import Any

import httpx
import pytest

from tests.rules.makers import as_posted

Json = dict[str, Any]


async def added(client: httpx.AsyncClient) -> Json:
    """A rule at revision 2, as GET returns it."""
    rule_id = (await client.post("/api/rules", json=as_posted())).json()["id"]
    await client.put(f"/api/rules/{rule_id}", json=as_posted(), headers={"If-Match": "*"})
    rule: Json = (await client.get(f"/api/rules/{rule_id}")).json()
    return rule


async def put(client: httpx.AsyncClient, rule_id: int, rule: Json, if_match: str) -> httpx.Response:
    return await client.put(f"/api/rules/{rule_id}", json=rule, headers={"If-Match": if_match})


async def test_a_rule_can_be_sent_back_as_it_was_read(client: httpx.AsyncClient) -> None:
    rule = await added(client)

    answer = await put(client, rule["id"], rule | {"name": "Renamed"}, '"2"')

    assert answer.status_code == 200, answer.text
    assert answer.json() == rule | {
        "name": "Renamed",
        "revision": 3,
        "updated_at": answer.json()["updated_at"],
    }


async def test_a_client_without_microseconds_sends_a_rule_back(client: httpx.AsyncClient) -> None:
    rule = await added(client)
    moment = rule["updated_at"].removesuffix("Z")
    shortened = f"{moment.partition('.')[0]}.{moment.partition('.')[2][:3]:0<3}Z"

    answer = await put(client, rule["id"], rule | {"updated_at": shortened}, "*")

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 77),
        ("id", None),
        ("revision", 1),
        ("created_at", "2026-01-01T00:00:00Z"),
        ("updated_at", "2026-01-01T00:00:00Z"),
    ],
)
async def test_what_the_service_alone_sets_cannot_be_changed(
    client: httpx.AsyncClient, name: str, value: object
) -> None:
    rule = await added(client)

    answer = await put(client, rule["id"], rule | {"name": "Renamed", name: value}, "*")

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", name]
    present = str(rule[name]).replace("Z", "+00:00")
    assert problem["msg"] == (
        f"is set by the service and is {present}: send it unchanged, or leave it out"
    )
    assert (await client.get(f"/api/rules/{rule['id']}")).json() == rule


async def test_that_somebody_else_changed_the_rule_is_the_first_reason(
    client: httpx.AsyncClient,
) -> None:
    rule = await added(client)
    await put(client, rule["id"], rule, '"2"')

    answer = await put(client, rule["id"], rule, '"2"')

    assert answer.status_code == 412
    assert "is at revision 3" in answer.json()["detail"]


@pytest.mark.parametrize("if_match", ["2", '"2"', 'W/"2"', " 2 ", '1, "2"', "*"])
async def test_an_etag_counts_however_it_is_quoted(
    client: httpx.AsyncClient, if_match: str
) -> None:
    rule = await added(client)

    assert (await put(client, rule["id"], rule, if_match)).status_code == 200
    assert (await put(client, rule["id"], rule, if_match)).status_code != 200


@pytest.mark.parametrize("if_match", ["1", 'W/"1"', '"1", 3'])
async def test_an_etag_of_another_revision_is_still_stale(
    client: httpx.AsyncClient, if_match: str
) -> None:
    rule = await added(client)

    assert (await put(client, rule["id"], rule, if_match)).status_code == 412


@pytest.mark.parametrize("if_match", ["", "two", '"two"', "'2'", '"2', "2;", '"2" "3"', "-2", "²"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_what_is_no_etag_is_said_to_be_none(
    client: httpx.AsyncClient, method: str, if_match: str
) -> None:
    rule = await added(client)
    headers = [(b"If-Match", if_match.encode())]
    body = json.dumps(rule).encode() if method == "PUT" else b""

    answer = await client.request(method, f"/api/rules/{rule['id']}", content=body, headers=headers)

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["header", "If-Match"]
    assert problem["msg"].startswith("is not an ETag of this API")
