"""`/api/links/{id}/article-markup` and `article-draft`."""

from uuid import UUID

import asyncpg
import pytest

from app import refs
from tests.links.makers import MINI_PROGRAM, added
from tests.service import APPID, Json, Service, WeChat, column

pytestmark = pytest.mark.asyncio

IMAGE = "https://mmbiz.example.com/shop.jpg"
ADD = "/cgi-bin/draft/add"
NOBODY = "00000000-0000-0000-0000-000000000000"


def article(**changes: object) -> Json:
    return {
        "title": "Summer",
        "content": "<p>before</p>{mini_program}<p>after</p>",
        "thumb_media_id": "COVER",
        "mini_program": {"mark": "art9", "image_url": IMAGE},
    } | changes


def content_of(wechat: WeChat, media_id: str) -> str:
    return str(wechat.state.drafts.of[APPID][media_id]["content"])


async def test_markup_needs_no_call(linked: Service, link: Json, wechat: WeChat) -> None:
    answer = await linked.api(
        "POST", f"links/{link['id']}/article-markup", json={"mark": "art9", "image_url": IMAGE}
    )

    assert answer.status_code == 200, answer.text
    found = answer.json()
    ref = refs.of_link(UUID(link["id"]), "art9")
    assert found["ref"] == ref
    assert found["path"] == f"pages/shop/index?from=summer26&ref={ref}&utm_source=sms"
    assert 'data-miniprogram-title="Summer &lt;sale&gt;"' in found["card"]
    assert "<img" in found["image"]
    assert "Summer &lt;sale&gt;" in found["text"]
    assert not wechat.state.tokens


@pytest.mark.parametrize(
    ("refused", "form", "calls"),
    [(set(), "card", 1), ({"card"}, "image", 2), ({"card", "image"}, "text", 3)],
)
async def test_a_draft_has_the_first_form_that_wechat_takes(
    linked: Service, link: Json, wechat: WeChat, refused: set[str], form: str, calls: int
) -> None:
    wechat.state.drafts.refused = refused
    answer = await linked.api("POST", f"links/{link['id']}/article-draft", json=article())

    assert answer.status_code == 201, answer.text
    draft = answer.json()
    assert draft["form"] == form
    assert draft["ref"] == refs.of_link(UUID(link["id"]), "art9")
    markup = await linked.api(
        "POST", f"links/{link['id']}/article-markup", json={"mark": "art9", "image_url": IMAGE}
    )
    expected = f"<p>before</p>{markup.json()[form]}<p>after</p>"
    assert content_of(wechat, draft["media_id"]) == expected
    assert len(wechat.state.drafts.of[APPID]) == 1
    assert len(wechat.calls(ADD)) == calls


async def test_without_a_place_the_mini_program_stands_at_the_end(
    linked: Service, link: Json, wechat: WeChat
) -> None:
    answer = await linked.api(
        "POST",
        f"links/{link['id']}/article-draft",
        json=article(content="<p>only</p>", mini_program={}),
    )

    content = content_of(wechat, answer.json()["media_id"])
    assert content.startswith("<p>only</p><a data-miniprogram-appid=")


@pytest.mark.parametrize(
    ("fault", "status", "word", "calls"),
    [
        ({"errcode": 45166}, 502, "The content of the article is not accepted", 3),
        ({"errcode": 40007}, 502, "40007", 1),
        ({"errcode": 45009}, 429, "45009", 1),
        ({"errcode": 45011}, 429, "45011", 1),
        ({"errcode": 48001}, 502, "48001", 1),
        ({"drop": "after"}, 502, "the draft may exist", 1),
        ({"body": "no JSON"}, 502, "the draft may exist", 1),
    ],
)
async def test_a_refusal_says_what_it_means_and_nothing_is_drafted_twice(
    linked: Service,
    link: Json,
    wechat: WeChat,
    fault: dict[str, object],
    status: int,
    word: str,
    calls: int,
) -> None:
    wechat.strike(ADD, **fault)
    answer = await linked.api("POST", f"links/{link['id']}/article-draft", json=article())

    assert answer.status_code == status, answer.text
    assert word in answer.json()["detail"]
    assert ("retry-after" in answer.headers) == (status == 429)
    assert len(wechat.calls(ADD)) == calls
    assert len(wechat.state.drafts.of[APPID]) <= 1


@pytest.mark.parametrize(
    ("changes", "member", "word"),
    [
        ({"title": "a" * 33}, "title", "32"),
        ({"author": "a" * 17}, "author", "16"),
        ({"digest": "a" * 121}, "digest", "120"),
        ({"content": "a" * 20_000}, "content", "19999"),
        ({"content": "a" * 19_900}, "content", "with the mini-program: shorten it to 19,999"),
        ({"content": "{mini_program}{mini_program}"}, "content", "more than once"),
        ({"content": "a\x00"}, "content", "NUL"),
        ({"content_source_url": "javascript:a"}, "content_source_url", "https://"),
        ({"thumb_media_id": " "}, "thumb_media_id", ""),
        ({"appid": MINI_PROGRAM.appid}, "appid", f"choose one of {APPID}"),
        ({"need_open_comment": 1}, "need_open_comment", ""),
        ({"mini_program": {"title": "a" * 36}}, "title", "35"),
        ({"mini_program": {"mark": "a.b"}}, "mark", ""),
        ({"mini_program": {"image_url": "data:image/png;base64,AA"}}, "image_url", "https://"),
    ],
)
async def test_what_wechat_would_refuse_is_refused_before(
    linked: Service, link: Json, wechat: WeChat, changes: Json, member: str, word: str
) -> None:
    answer = await linked.api("POST", f"links/{link['id']}/article-draft", json=article(**changes))

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert problem["loc"][-1] == member
    assert word in problem["msg"]
    assert not wechat.calls(ADD)


@pytest.mark.parametrize("path", ["article-markup", "article-draft"])
async def test_a_link_has_to_exist_and_to_name_a_page(linked: Service, path: str) -> None:
    body = {} if path == "article-markup" else article()
    home = await added(linked, path="")
    answer = await linked.api("POST", f"links/{home['id']}/{path}", json=body)
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("the link names no page: set its path")

    assert (await linked.api("POST", f"links/{NOBODY}/{path}", json=body)).status_code == 404


async def test_the_audit_log_has_a_draft_even_if_no_answer_came(
    linked: Service, link: Json, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    wechat.strike(ADD, drop="after")
    await linked.api("POST", f"links/{link['id']}/article-draft", json=article())

    query = "SELECT after FROM audit_log WHERE action = 'article.drafted'"
    assert await column(connection, query) == [refs.of_link(UUID(link["id"]), "art9")]
