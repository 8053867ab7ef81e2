"""The page of today: its figures, and what waits."""

import re

from tests.console.made_messages import fail_replies
from tests.console.operator import Operator
from tests.service import OTHER_OPENID, Service, card, event, message, text_reply

FIGURE = re.compile(r'<span class="quiet">([^<]+)</span>\s*<span class="figure">([\d,]+)</span>')


async def test_the_figures_are_those_of_today(service: Service, viewer: Operator) -> None:
    await service.add_rule(text_reply())
    await service.push(message(service.clock))
    await service.push(event(service.clock, "subscribe", openid=OTHER_OPENID))

    figures = dict(FIGURE.findall((await viewer.get("/today")).text))

    assert figures == {
        "Messages and events": "2",
        "Replies sent": "1",
        "Follows": "1",
        "Unfollows": "0",
    }


async def test_a_failed_reply_waits_for_two_days(service: Service, viewer: Operator) -> None:
    await service.add_rule(card())
    await service.push(message(service.clock))
    before = (await viewer.get("/today")).text
    await fail_replies(service)
    after = (await viewer.get("/today")).text

    assert "Nothing waits." in before
    assert "Replies that were not delivered in the last two days: 1" in after
