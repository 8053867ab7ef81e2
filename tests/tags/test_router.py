"""`/api/tags`: tags are created, listed, renamed and deleted."""

import pytest

from tests.service import APPID, Service, WeChat
from tests.tags.makers import CREATE, reach_wechat, tag

pytestmark = pytest.mark.asyncio
NAME = {"name": "老会员"}


async def test_a_tag_is_created_renamed_and_deleted(service: Service, wechat: WeChat) -> None:
    tag_id = await tag(service, wechat)
    names = wechat.state.tags.account(APPID).names
    assert names[tag_id] == "会员"
    answer = await service.api("PUT", f"tags/{tag_id}/name", json=NAME)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["name"], names[tag_id]) == ("老会员", "老会员")
    (listed,) = (await service.read("tags"))["items"]
    assert (listed["tag_id"], listed["name"], listed["people"]) == (tag_id, "老会员", 0)

    answer = await service.api("DELETE", f"tags/{tag_id}")
    assert answer.status_code == 204, answer.text
    assert tag_id not in names
    assert (await service.read("tags"))["items"] == []
    assert (await service.api("DELETE", f"tags/{tag_id}")).status_code == 404
    entries = (await service.read("audit"))["items"]
    assert [(one["action"], one["before"], one["after"]) for one in entries] == [
        ("tag.deleted", "老会员", None),
        ("tag.renamed", "会员", "老会员"),
        ("tag.added", None, "会员"),
    ]


async def test_a_name_that_is_taken_is_refused_and_its_tag_is_known_then(
    service: Service, wechat: WeChat
) -> None:
    reach_wechat(service, wechat)
    tag_id = wechat.state.tags.account(APPID).add("会员")
    answer = await service.api("POST", "tags", json={"name": "会员"})
    assert answer.status_code == 409
    assert "45157" in answer.text
    assert [one["tag_id"] for one in (await service.read("tags"))["items"]] == [tag_id]


async def test_a_tag_whose_creation_was_not_answered_is_found_by_the_next_try(
    service: Service, wechat: WeChat
) -> None:
    reach_wechat(service, wechat)
    wechat.strike(CREATE, drop="after", count=1)
    answer = await service.api("POST", "tags", json={"name": "会员"})
    assert answer.status_code == 502
    assert "tags/pull" in answer.text
    answer = await service.api("POST", "tags", json={"name": "会员"})
    assert answer.status_code == 409
    assert [one["name"] for one in (await service.read("tags"))["items"]] == ["会员"]


async def test_wechats_limits_are_answered_with_what_to_do(
    service: Service, wechat: WeChat
) -> None:
    reach_wechat(service, wechat)
    for number in range(100):
        wechat.state.tags.account(APPID).add(f"t{number}")
    answer = await service.api("POST", "tags", json={"name": "one more"})
    assert answer.status_code == 409
    assert "45056" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "tags", {"name": "x" * 31}, 422),
        ("POST", "tags", {"name": " "}, 422),
        ("POST", "tags", {"name": "x", "appid": "wx0000000000000000"}, 422),
        ("PUT", "tags/2/name", NAME, 409),
        ("DELETE", "tags/0", None, 409),
        ("PUT", "tags/7/name", NAME, 404),
        ("POST", "tags/7/people", {"action": "tag", "filter": {}}, 404),
        ("GET", "tags?appid=wx0000000000000000", None, 422),
    ],
)
async def test_bad_requests_name_the_mistake_and_call_nobody(
    service: Service,
    wechat: WeChat,
    method: str,
    path: str,
    body: dict[str, object] | None,
    status: int,
) -> None:
    reach_wechat(service, wechat)
    answer = await service.api(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert len(answer.json()["detail"]) > 0
    assert wechat.state.ledger.read(after=0) == [] or not wechat.calls(CREATE)


@pytest.mark.parametrize(
    "wanted",
    [
        {"action": "tag"},
        {"action": "tag", "openids": ["o"], "filter": {}},
        {"action": "pull", "filter": {}},
        {"action": "tag", "openids": []},
        {"action": "tag", "openids": ["oNOBODY"]},
        {"action": "tag", "unionids": ["uNOBODY"]},
        {
            "action": "tag",
            "filter": {"seen_since": "2026-02-01T00:00:00Z", "seen_before": "2026-01-01T00:00:00Z"},
        },
    ],
)
async def test_people_have_to_be_named_in_one_way(
    service: Service, wechat: WeChat, wanted: dict[str, object]
) -> None:
    tag_id = await tag(service, wechat)
    answer = await service.api("POST", f"tags/{tag_id}/people", json=wanted)
    assert answer.status_code == 422, answer.text
    assert (await service.read("tag-runs"))["items"] == []
