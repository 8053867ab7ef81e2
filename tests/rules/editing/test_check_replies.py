"""Replies that could never be sent, or not as written, are refused when a rule is saved."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app import refs
from app.wechat.outbound.otherwise import MAX_TEXT_BYTES
from tests.rules.makers import APPID, as_posted, settings_with

KNOWN = "wx00000000000000aa"
UTM = {"source": "oa", "campaign": "春"}
CARD = {**as_posted()["replies"][0], "appid": KNOWN}
ARTICLE = {
    "title": "t",
    "description": "d",
    "url": "https://example.com",
    "picurl": "https://example.com/a.png",
}


def says(content: str) -> dict[str, Any]:
    return {"msgtype": "text", "via": "passive", "content": content}


def news(*articles: dict[str, str]) -> dict[str, Any]:
    return {"msgtype": "news", "via": "passive", "articles": list(articles)}


def link(appid: str = KNOWN, quote: str = '"') -> str:
    return (
        f"<a data-miniprogram-appid={quote}{appid}{quote} "
        f"data-miniprogram-path={quote}p?a=1{quote}>go</a>"
    )


@pytest.fixture(autouse=True)
def _known_mini_programs(api: FastAPI, tmp_path: Path) -> None:
    api.state.settings = settings_with(tmp_path, mini_program_appids=[KNOWN])


async def refused(
    client: httpx.AsyncClient, *replies: dict[str, Any], **changes: object
) -> dict[str, str]:
    """What a rule with these replies is answered: field and words; nothing if it is taken."""
    answer = await client.post("/api/rules", json=as_posted(replies=replies, **changes))
    if answer.status_code == 201:
        return {}
    assert answer.status_code == 422, answer.text
    return {".".join(map(str, item["loc"])): item["msg"] for item in answer.json()["detail"]}


@pytest.mark.parametrize("placeholder", ["{ref}", "{account}", "{account}{ref}", "{{{ref}"])
async def test_a_text_that_its_placeholders_make_too_long_is_refused(
    client: httpx.AsyncClient, placeholder: str
) -> None:
    content = "x" * (MAX_TEXT_BYTES - len(placeholder)) + placeholder

    found = await refused(client, says(content))

    assert found.keys() == {"body.replies.0.content"}
    assert "2047 bytes once it is filled; shorten it" in found["body.replies.0.content"]


async def test_a_text_that_is_full_to_the_last_byte_once_it_is_filled_is_taken_and_sent(
    client: httpx.AsyncClient,
) -> None:
    content = "x" * (MAX_TEXT_BYTES - refs.LENGTH) + "{ref}"

    assert await refused(client, says(content)) == {}

    question = {"appid": APPID, "text": "商城"}
    explained = (await client.post("/api/rules/explain", json=question)).json()
    ((reply,),) = [winner["replies"] for winner in explained["winners"]]
    assert reply["not_sent"] is None
    assert len(reply["body"]["Content"]) == MAX_TEXT_BYTES


async def test_words_of_a_follower_need_no_room_because_they_are_cut(
    client: httpx.AsyncClient,
) -> None:
    trigger = {"on": "text", "match": "regex", "keyword": "a(b*)"}

    for content in ("x" * (MAX_TEXT_BYTES - 3) + "{1}", "{1}"):
        assert await refused(client, says(content), trigger=trigger) == {}


async def test_a_page_that_its_placeholders_or_parameters_make_too_long_is_refused(
    client: httpx.AsyncClient,
) -> None:
    def page(tail: str) -> dict[str, Any]:
        return {**CARD, "pagepath": "p?" + "x" * (1022 - len(tail)) + tail}

    by_reference = await refused(client, page("&{ref}"))
    by_utm = await refused(client, page(""), utm=UTM)

    assert by_reference.keys() == by_utm.keys() == {"body.replies.0.pagepath"}
    assert await refused(client, page("")) == {}


async def test_parameters_of_a_link_are_counted_as_they_are_written_in_it(
    client: httpx.AsyncClient,
) -> None:
    appended = len("&amp;utm_source=oa&amp;utm_campaign=%E6%98%A5")
    room = MAX_TEXT_BYTES - len(link()) - appended

    assert await refused(client, says(link() + "x" * room), utm=UTM) == {}
    found = await refused(client, says(link() + "x" * (room + 1)), utm=UTM)
    assert found.keys() == {"body.replies.0.content"}


@pytest.mark.parametrize("quote", ['"', "'", ""])
async def test_a_link_to_a_mini_program_that_is_not_configured_is_refused_as_a_card_is(
    client: httpx.AsyncClient, quote: str
) -> None:
    unknown = "wx00000000000000ff"

    found = await refused(client, {**CARD, "appid": unknown}, says(link(unknown, quote)))

    assert found.keys() == {"body.replies.0.appid", "body.replies.1.content"}
    assert len({*found.values()}) == 1
    assert f"{unknown} is not a mini-program that is configured" in found["body.replies.1.content"]
    assert await refused(client, CARD, says(link(KNOWN, quote))) == {}


async def test_where_no_mini_program_is_configured_a_link_opens_any(
    api: FastAPI, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    api.state.settings = settings_with(tmp_path)

    assert await refused(client, says(link("wx00000000000000ff"))) == {}


@pytest.mark.parametrize(
    "trigger",
    [
        {"on": "text", "match": "exact", "keyword": "a"},
        {"on": "msgmenu", "id": "1"},
        {"on": "location", "latitude": 1, "longitude": 1, "radius_metres": 1},
        {"on": "fallback"},
    ],
)
async def test_a_message_is_not_answered_with_several_articles(
    client: httpx.AsyncClient, trigger: dict[str, object]
) -> None:
    found = await refused(client, news(*[ARTICLE] * 8), trigger=trigger)

    assert found.keys() == {"body.replies.0.articles"}
    assert "at most 1 in answer to a message" in found["body.replies.0.articles"]
    assert await refused(client, news(ARTICLE), trigger=trigger) == {}


async def test_an_event_is_answered_with_up_to_eight_articles(client: httpx.AsyncClient) -> None:
    assert await refused(client, news(*[ARTICLE] * 8), trigger={"on": "subscribe"}) == {}


@pytest.mark.parametrize(
    ("reply", "field"),
    [
        ({**CARD, "title": "t{1}"}, "title"),
        ({**CARD, "title": "t{no}"}, "title"),
        ({**CARD, "title": "t{ref}"}, "title"),
        (news({**ARTICLE, "url": "https://example.com/{ref}"}), "articles.0.url"),
        (
            {
                "msgtype": "msgmenu",
                "via": "customer_service",
                "list": [{"id": "1", "content": "{1}"}],
            },
            "list.0.content",
        ),
    ],
)
async def test_a_placeholder_where_none_is_filled_is_refused_with_the_places_where_one_is(
    client: httpx.AsyncClient, reply: dict[str, Any], field: str
) -> None:
    trigger = {"on": "text", "match": "regex", "keyword": "order (?P<no>[0-9]+)"}

    found = await refused(client, reply, trigger=trigger)

    assert found.keys() == {f"body.replies.0.{field}"}
    assert "the content of a text and the pagepath of a card" in found[f"body.replies.0.{field}"]


async def test_other_braces_in_a_title_and_the_names_of_files_stand_for_themselves(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    picture = tmp_path / "media" / "shop.png"
    picture.with_name("{1}.png").write_bytes(picture.read_bytes())

    card = {**CARD, "title": "{特惠} {} {sale} 满{100}", "thumb": {"file": "{1}.png"}}

    assert await refused(client, card) == {}
