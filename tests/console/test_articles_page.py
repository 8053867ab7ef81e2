"""Articles in the console: their HTML, and drafts in the first form that WeChat takes."""

from uuid import UUID

import pytest

from app import refs
from tests.console.operator import Operator
from tests.links.makers import added, know_mini_program
from tests.service import APPID, Service, WeChat

IMAGE = "https://mmbiz.example.com/shop.jpg"
FORM = {
    "link": "summer26",
    "mark": "art9",
    "image_url": IMAGE,
    "appid": APPID,
    "title": "Summer",
    "content": "<p>before</p>{mini_program}<p>after</p>",
    "thumb_media_id": "COVER",
}


async def test_the_html_of_each_form_is_shown_without_a_call(
    owner: Operator, service: Service, wechat: WeChat
) -> None:
    know_mini_program(service, wechat)
    await added(service)
    answer = await owner.post("/articles/markup", FORM | {"content": ""})
    assert answer.status_code == 200
    for name in ("card", "image", "text"):
        assert f'id="html-{name}"' in answer.text
    assert "mp-common-miniprogram" in answer.text
    assert wechat.calls("/cgi-bin/draft/add") == []


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (set(), "a card"),
        ({"card"}, "since WeChat refuses the card (45166)"),
        ({"card", "image"}, "a text that is a link"),
    ],
)
async def test_a_draft_says_in_which_form_wechat_took_it(
    owner: Operator, service: Service, wechat: WeChat, refused: set[str], said: str
) -> None:
    know_mini_program(service, wechat)
    link = await added(service)
    wechat.state.drafts.refused = refused
    answer = await owner.post("/articles/draft", FORM)
    assert answer.status_code == 200, answer.text
    assert said in answer.text
    (media_id,) = wechat.state.drafts.of[APPID]
    assert media_id in answer.text
    assert "Newest drafts" in answer.text
    ref = refs.of_link(UUID(link["id"]), "art9")
    assert f'href="/console/arrivals?ref={ref}"' in answer.text


async def test_what_can_not_be_used_is_shown_again_with_a_sentence(
    owner: Operator, service: Service, wechat: WeChat
) -> None:
    know_mini_program(service, wechat)
    await added(service)
    for wrong, sentence in (
        ({"link": "none"}, "Choose a link."),
        ({"mark": "a b"}, "1 to 32 letters"),
        ({"title": ""}, "A title has 1 to 32 characters."),
        ({"content": "{mini_program}{mini_program}"}, "at most once"),
        ({"image_url": "x"}, "An address that begins with https://"),
        ({"card_title": "x" * 36}, "At most 35 characters."),
        ({"appid": "wx00000000000000ff"}, "Choose an Official Account"),
    ):
        answer = await owner.post("/articles/draft", FORM | wrong)
        assert answer.status_code == 422, wrong
        assert sentence in answer.text
    wechat.strike("/cgi-bin/draft/add", errcode=45004, count=1)
    answer = await owner.post("/articles/draft", FORM)
    assert answer.status_code == 422
    assert "45004" in answer.text
    wechat.strike("/cgi-bin/draft/add", drop="after", count=1)
    answer = await owner.post("/articles/draft", FORM)
    assert "the draft may exist" in answer.text
