"""Arrivals from the buttons of a menu that opens several mini-programs."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from app.settings import Settings
from app.worker import Jobs
from tests.arrivals.makers import launch, listed, report
from tests.menus.makers import for_tag, menu, shop
from tests.menus.publishing import know_wechat, published
from tests.service import (
    APPID,
    CARD_APPID,
    Json,
    Service,
    WeChat,
    settings_for,
)

OTHER = "wx00000000000000ee"
THIRD = "wx00000000000000ff"
PAGE = "pages/index"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with three mini-programs."""
    appids = ",".join((CARD_APPID, OTHER, THIRD))
    return settings_for(database_url, tmp_path, mini_program_appids=appids)


@pytest.fixture
async def version(service: Service, jobs: Jobs, wechat: WeChat) -> Json:
    """A published menu with the same page of two mini-programs, one of them in a sub-menu."""
    know_wechat(service, wechat)
    accounts = wechat.state.accounts
    linked = {"linked_mini_programs": (CARD_APPID, OTHER)}
    accounts[APPID] = accounts[APPID].model_copy(update=linked)
    own = shop("One", PAGE)
    other = shop("Two", PAGE) | {"appid": OTHER}
    document = menu(own, {"name": "More", "sub_button": [other]}, conditional=[for_tag("1", other)])
    return await published(service, jobs, document)


def ref_of(button: Json) -> str:
    """Return the ref in the page of a button as it was sent."""
    page: str = button["pagepath"]
    return parse_qs(page.partition("?")[2])["ref"][0]


async def settled(service: Service, jobs: Jobs, *reports: Json) -> list[Json]:
    """Report, and return the list once nothing waits, the oldest first."""
    await report(service, *reports)
    for _ in range(3):
        await jobs.settle_arrivals()
        service.clock.advance(timedelta(minutes=10))
    return await listed(service)


async def test_a_ref_of_a_button_counts_for_the_mini_program_that_it_opens_alone(
    service: Service, jobs: Jobs, version: Json
) -> None:
    sent = version["sent"]
    own = ref_of(sent["button"][0])
    other = ref_of(sent["button"][1]["sub_button"][0])
    conditional = ref_of(sent["conditional"][0]["button"][0])

    found = await settled(
        service,
        jobs,
        launch(service, ref=own),
        launch(service, ref=own, appid=OTHER),
        launch(service, ref=other, appid=OTHER, path="2"),
        launch(service, ref=conditional, appid=OTHER, path="3"),
        launch(service, ref=conditional, path="4"),
    )

    assert [(one["basis"], one["menu_position"]) for one in found] == [
        ("ref", "1"),
        ("none", None),
        ("ref", "2-1"),
        ("ref", "c1-1"),
        ("none", None),
    ]


async def test_the_menu_of_the_referrer_is_the_door_of_mini_programs_that_it_opens_alone(
    service: Service, jobs: Jobs, version: Json
) -> None:
    tapped = {"scene": 1035, "path": PAGE, "referrer_appid": APPID}
    found = await settled(
        service,
        jobs,
        launch(service, **tapped),
        launch(service, **tapped, appid=OTHER),
        launch(service, **tapped, appid=THIRD),
    )

    number = version["number"]
    assert [(one["basis"], one["menu_number"], one["menu_position"]) for one in found] == [
        ("scene", number, "1"),
        # Two buttons open its page.
        ("scene", number, None),
        ("scene", None, None),
    ]
