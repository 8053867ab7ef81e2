"""The page of today: its figures, and what waits."""

import re
from datetime import timedelta
from pathlib import Path

from app.access.roles import Role
from app.console.findings import PAGES
from app.doctor.checks.registry import CHECKS
from app.settings import Settings
from tests.console.made_messages import fail_replies
from tests.console.operator import Operator, signed_in
from tests.service import (
    APPID,
    OTHER_OPENID,
    Service,
    WorldClock,
    card,
    event,
    message,
    running,
    settings_for,
    text_reply,
)

SECOND = "wx00000000000000a2"
SECOND_ACCOUNT = f"""
[[account]]
appid = "{SECOND}"
token = "anotherToken"
encoding_aes_key = "{"B" * 43}"
"""

FIGURE = re.compile(r'<span class="quiet">([^<]+)</span>\s*<span class="figure">([\d,]+)</span>')


async def test_the_figures_are_those_of_today(service: Service, viewer: Operator) -> None:
    await service.add_rule(text_reply())
    await service.push(message(service.clock))
    await service.push(event(service.clock, "subscribe", openid=OTHER_OPENID))

    today = FIGURE.findall((await viewer.get("/today")).text)
    service.clock.advance(timedelta(days=1))
    async with signed_in(service, Role.VIEWER, name="Later") as later:
        tomorrow = (await later.get("/today")).text

    received = [
        ("Messages and events", "2"),
        ("Replies sent", "1"),
        ("Follows", "1"),
        ("Unfollows", "0"),
    ]
    nothing = [(label, "0") for label, _ in received]
    assert today == [*received, *nothing]
    assert FIGURE.findall(tomorrow) == [*nothing, *received]
    assert "against 0 the day before" in tomorrow


async def test_each_line_of_the_doctor_names_its_account_and_leads_on(
    settings: Settings, clock: WorldClock, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(SECOND_ACCOUNT)
    both = settings_for(str(settings.database_url), tmp_path, accounts_file=accounts)
    async with running(both, clock) as service, signed_in(service, Role.VIEWER) as viewer:
        page = (await viewer.get("/today")).text
        doctor = (await viewer.get("/doctor")).text

    for appid in (APPID, SECOND):
        assert f'href="/console/doctor#last-push-{appid}"' in page
        assert f'<bdi class="typed quiet">{appid}</bdi>: <bdi' in page
        assert f'id="last-push-{appid}"' in doctor


def test_every_page_of_a_finding_belongs_to_a_check() -> None:
    assert PAGES.keys() <= CHECKS.keys()


async def test_a_failed_reply_waits_for_two_days(service: Service, viewer: Operator) -> None:
    await service.add_rule(card())
    await service.push(message(service.clock))
    before = (await viewer.get("/today")).text
    await fail_replies(service)
    after = (await viewer.get("/today")).text

    assert "Nothing waits." in before
    assert 'href="/console/messages">See the messages</a>' in before
    assert "Replies that were not delivered in the last two days: 1" in after
