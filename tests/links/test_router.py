"""`/api/links`: adds, changes, lists and deletes links, and makes single ones."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from app.links import store
from app.refs import link_mark
from tests.links.makers import added, body
from tests.service import APPID, Service, WeChat, column

pytestmark = pytest.mark.asyncio


async def test_a_link_is_added_read_listed_changed_and_deleted(
    service: Service, connection: asyncpg.Connection
) -> None:
    link = await added(service)
    drawn = await added(service, slug=None, name="Other")
    assert link["short_url"] == "https://oa.example.com/go/summer26"
    assert len(drawn["slug"]) == 8

    page = await service.read("links", limit=1)
    assert [item["id"] for item in page["items"]] == [drawn["id"]]
    page = await service.read("links", limit=1, before=page["next"])
    assert [item["id"] for item in page["items"]] == [link["id"]]
    assert page["next"] is None

    read = await service.read(f"links/{link['id']}")
    answer = await service.api("PUT", f"links/{link['id']}", json=read | {"name": "New"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "New"
    assert answer.json()["revision"] == 2
    assert answer.json()["slug"] == "summer26"

    assert (await service.api("DELETE", f"links/{link['id']}")).status_code == 204
    assert (await service.api("DELETE", f"links/{link['id']}")).status_code == 404
    actions = await column(connection, "SELECT action FROM audit_log ORDER BY id")
    assert actions == ["link.added", "link.added", "link.changed", "link.deleted"]
    entries = (await service.read("audit", subject_id=link["id"]))["items"]
    revisions = [(one["before"], one["after"]) for one in entries]
    assert revisions == [("2", None), ("1", "2"), (None, "1")]


async def test_of_two_with_the_same_slug_one_is_refused(service: Service) -> None:
    answers = await asyncio.gather(
        *(service.api("POST", "links", json=body(slug="same")) for _ in range(2))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_change_to_the_slug_of_another_link_is_refused(service: Service) -> None:
    await added(service)
    other = (await service.api("POST", "links", json=body(slug="other"))).json()
    answer = await service.api("PUT", f"links/{other['id']}", json=body())

    assert answer.status_code == 409
    assert (await service.read(f"links/{other['id']}"))["slug"] == "other"


async def test_there_are_not_more_links_than_there_may_be(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_LINKS", 1)
    await added(service)
    answer = await service.api("POST", "links", json=body(slug="other"))

    assert answer.status_code == 409
    assert "delete one first" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "member", "word"),
    [
        ({"appid": APPID}, "appid", "ACCOUNTS_FILE"),
        ({"appid": "wx00000000000000ff"}, "appid", "ACCOUNTS_FILE"),
        ({"slug": "a/b!"}, "slug", ""),
        ({"path": "/pages/x"}, "path", ""),
        ({"path": "pages/x?a=1"}, "path", ""),
        ({"query": "a=商城"}, "query", "percent-encode"),
        ({"query": "a={name}"}, "query", "placeholders"),
        ({"query": "a=" + "b" * 1020}, "query", "1,024"),
        ({"query": "a={ref}" + "b" * 250}, "query", "256"),
        ({"fallback_url": "javascript:alert(1)"}, "fallback_url", "https://"),
        ({"fallback_url": "https://a:b@example.com/"}, "fallback_url", "password"),
        ({"fallback_url": "https://example.com/\n"}, "fallback_url", "blank"),
        ({"fallback_url": "https://xn--/"}, "fallback_url", "write it as https://host/path"),
        ({"name": " "}, "name", ""),
        ({"name": "a\x00"}, "name", "NUL"),
        ({"created_at": "2020-01-01T00:00:00Z"}, "created_at", ""),
    ],
)
async def test_what_wechat_would_refuse_is_refused_before(
    service: Service, changes: dict[str, object], member: str, word: str
) -> None:
    answer = await service.api("POST", "links", json=body(**changes))

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert member in problem["loc"]
    assert word in problem["msg"]


async def test_single_links_are_made_with_a_ref_of_their_own(
    linked: Service, wechat: WeChat
) -> None:
    link = await added(linked)
    scheme = await linked.api("POST", f"links/{link['id']}/url-scheme", json={"days": 1})
    assert scheme.status_code == 201, scheme.text
    assert scheme.json()["link"].startswith("weixin://dl/business/?t=")
    query = wechat.state.links.made[0].target["query"]
    assert query == f"from=summer26&ref={scheme.json()['ref']}&utm_source=sms"
    assert wechat.state.links.made[0].expires_at == linked.clock.now() + timedelta(days=1)

    short = await linked.api("POST", f"links/{link['id']}/short-link", json={"title": "商城"})
    assert short.json()["link"].startswith("#小程序://商城/")

    plain = await linked.read(f"links/{link['id']}/plain-scheme")
    assert plain["link"].startswith(
        f"weixin://dl/business/?appid={link['appid']}&path=pages/shop/index&query=from%3Dsummer26"
    )

    code = await linked.api("POST", f"links/{link['id']}/mini-program-code", json={})
    assert code.status_code == 200, code.text
    assert code.headers["content-type"] == "image/png"
    assert code.content.startswith(b"\x89PNG")
    mark = link_mark(UUID(link["id"]))
    assert scheme.json()["ref"].startswith(mark)
    assert f'"scene":"{mark}' in wechat.calls("/wxa/getwxacodeunlimit")[0]["body"]
    # A program may make one for each recipient: one entry an hour.
    noted = (await linked.read("audit", action="link.form_made"))["items"]
    assert [one["subject_id"] for one in noted] == [link["id"]]


@pytest.mark.parametrize(
    ("path", "call", "fault", "status", "word"),
    [
        ("url-scheme", "generatescheme", {"errcode": 85079}, 502, "85079"),
        ("url-scheme", "generatescheme", {"errcode": 44993}, 429, "44993"),
        ("url-scheme", "generatescheme", {"errcode": 44990}, 429, "44990"),
        ("url-scheme", "generatescheme", {"drop": "before"}, 502, "did not answer"),
        ("short-link", "genwxashortlink", {"errcode": 43104}, 502, "43104"),
        ("mini-program-code", "getwxacodeunlimit", {"errcode": 41030}, 502, "41030"),
        ("mini-program-code", "getwxacodeunlimit", {"body": "no picture"}, 502, "did not answer"),
        ("mini-program-code", "getwxacodeunlimit", {"body": '{"errcode":0}'}, 502, "answer"),
    ],
)
async def test_a_refusal_says_what_it_means(
    linked: Service,
    wechat: WeChat,
    path: str,
    call: str,
    fault: dict[str, object],
    status: int,
    word: str,
) -> None:
    link = await added(linked)
    wechat.strike(f"/wxa/{call}", count=1, **fault)
    answer = await linked.api("POST", f"links/{link['id']}/{path}", json={})

    assert answer.status_code == status, answer.text
    assert word in answer.json()["detail"]
    assert ("retry-after" in answer.headers) == (status == 429)


async def test_a_scene_that_wechat_reserves_is_refused_before(
    linked: Service, wechat: WeChat
) -> None:
    link = await added(linked)
    answer = await linked.api(
        "POST", f"links/{link['id']}/mini-program-code", json={"scene": "scancode_time=1"}
    )

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", "scene"]
    assert "scancode_time" in problem["msg"]
    assert wechat.calls("/wxa/getwxacodeunlimit") == []


async def test_the_days_of_opens_have_a_bound(service: Service) -> None:
    link = await added(service)
    for query in ({"from": "2026-02-01", "until": "2026-01-01"}, {"from": "2020-01-01"}):
        answer = await service.api("GET", f"links/{link['id']}/opens", params=query)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", "from"]
