"""Notes are written in the console, and the charts of their days show them."""

import re
from collections.abc import Awaitable, Callable

import pytest

from app.access.roles import Role
from app.datacube.days import yesterday
from tests.console.made_campaigns import a_campaign
from tests.console.made_figures import two_days
from tests.console.made_funnel import funnel
from tests.console.made_menus import taps
from tests.console.operator import signed_in
from tests.service import Service, event, text_reply

PATH = "/figures/notes"


async def test_a_note_stands_on_the_charts_of_its_day_and_its_text_is_escaped(
    service: Service,
) -> None:
    day = yesterday(service.clock.now()).isoformat()
    async with signed_in(service, Role.EDITOR, language="en") as editor:
        form = {"text": "<b>Sale</b>", "day": day, "time": "14:30", "appid": ""}
        assert (await editor.post(f"{PATH}/add", form)).status_code == 303
        await two_days(service)
        await service.push(event(service.clock, "subscribe", openid="oNEW"))
        pages = [(await editor.get(path)).text for path in ("/followers/growth", "/figures")]

    for page in pages:
        assert "14:30: note: &lt;b&gt;Sale&lt;/b&gt;" in page  # in the title of the mark
        # In the list below.
        assert re.search(r"14:30: note:</bdi></a> <bdi[^>]*>&lt;b&gt;Sale&lt;/b&gt;</bdi>", page)
        assert "<b>Sale" not in page


async def test_a_changed_rule_stands_on_the_charts_by_itself(service: Service) -> None:
    await service.add_rule(text_reply())
    await service.push(event(service.clock, "subscribe", openid="oNEW"))
    async with signed_in(service, Role.VIEWER, language="en") as viewer:
        page = (await viewer.get("/followers/growth")).text

    assert re.search(r"\d\d:\d\d: rules changed: 1", page)


@pytest.mark.parametrize("make", [funnel, a_campaign, taps], ids=["funnel", "campaign", "taps"])
async def test_charts_of_what_was_reached_show_what_was_changed(
    service: Service, make: Callable[[Service], Awaitable[str]]
) -> None:
    path = await make(service)
    await service.add_rule(text_reply())
    async with signed_in(service, Role.VIEWER, language="en") as viewer:
        page = (await viewer.get(path)).text

    assert re.search(r"\d\d:\d\d: rules changed: \d", page)


async def test_a_note_is_deleted(service: Service) -> None:
    async with signed_in(service, Role.EDITOR, language="en") as editor:
        await editor.post(f"{PATH}/add", {"text": "Sale", "day": "2026-11-11"})
        page = (await editor.get(PATH)).text
        action = re.search(r'action="/console(/figures/notes/[^"]+/delete)"', page)
        assert action is not None
        assert (await editor.post(action[1], {})).status_code == 303
        assert (await editor.post(action[1], {})).status_code == 404
        assert "Sale" not in (await editor.get(PATH)).text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": " "}, "Write what happened"),
        ({"text": "x" * 201}, "Write what happened"),
        ({"day": "11.11."}, "Choose a day"),
        ({"day": "0001-01-01"}, "Choose a day"),
        ({"day": "0001-01-01", "time": "00:00"}, "Choose a day"),
        ({"time": "soon"}, "Write a time"),
        ({"time": "14:30+08:00"}, "Write a time"),
        ({"appid": "wx00000000000000aa"}, "Choose one of the accounts"),
    ],
)
async def test_what_can_t_be_a_note_comes_back_as_it_was_typed(
    service: Service, change: dict[str, str], told: str
) -> None:
    form = {"text": "Sale", "day": "2026-11-11", "time": "", "appid": ""} | change
    async with signed_in(service, Role.EDITOR, language="en") as editor:
        answer = await editor.post(f"{PATH}/add", form)

    assert answer.status_code == 422
    assert told in answer.text
    assert f'value="{form["day"]}"' in answer.text


async def test_a_viewer_adds_no_note(service: Service) -> None:
    async with signed_in(service, Role.VIEWER, language="en") as viewer:
        answer = await viewer.post(f"{PATH}/add", {"text": "Sale", "day": "2026-11-11"})
        assert answer.status_code == 403
