"""Erasures in the console: their states, and how an owner closes what nobody can erase."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.access.roles import Role
from app.console.followers import erasures_page
from app.privacy.models import Erasure, Trigger
from tests.console.operator import Operator, signed_in
from tests.console.people import an_erasure, an_erasure_that_needs_a_person, lives
from tests.service import Service

PATH = "/followers/erasures"


def states_of(page: str) -> list[str]:
    """Return the state of each row of the list."""
    cells = re.findall(r'data-label="State">(.*?)</td>', page, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in cells]


async def test_the_list_tells_the_states_apart(service: Service) -> None:
    await an_erasure(service)
    await an_erasure_that_needs_a_person(service)
    async with signed_in(service, Role.VIEWER) as viewer:
        first = (await viewer.get(PATH)).text
        service.clock.advance(timedelta(days=3))
    async with signed_in(service, Role.VIEWER, name="Later") as viewer:
        later = (await viewer.get(PATH)).text
        overdue = (await viewer.get(PATH, state="overdue")).text
        unclear = (await viewer.get(PATH, state="needs_person")).text

    # An unfollow in the history of the person has opened one, too.
    assert states_of(first) == ["needs a person", "in progress", "in progress"]
    assert states_of(later) == ["needs a person", "overdue", "overdue"]
    assert states_of(overdue) == ["overdue", "overdue"]
    assert states_of(unclear) == ["needs a person"]


@pytest.mark.parametrize(
    ("trigger", "requested_by", "shown"),
    [
        (Trigger.UNSUBSCRIBE, "wechat", "WeChat"),
        (Trigger.UNSUBSCRIBE, "sync", "a synchronisation of the followers"),
        (Trigger.REQUEST, "cli", "command"),
        (Trigger.REQUEST, "wechat", "wechat"),  # the name of an operator
        (Trigger.REQUEST, "crm", "crm"),
    ],
)
async def test_who_asked_for_it_is_told_in_words(
    service: Service, viewer: Operator, trigger: Trigger, requested_by: str, shown: str
) -> None:
    path = await an_erasure_that_needs_a_person(service)
    async with service.app.state.database.sessions.begin() as session:
        await session.execute(update(Erasure).values(trigger=trigger, requested_by=requested_by))
    row = re.search(r'data-label="Requested by">(.*?)</td>', (await viewer.get(PATH)).text)
    page = (await viewer.get(path)).text

    assert row is not None
    assert re.sub(r"<[^>]+>", "", row[1]) == shown
    assert re.search(rf"Requested by</dt>\s*<dd>(<bdi[^>]*>)?{shown}<", page)


async def test_pages_of_open_ones_miss_and_repeat_none(
    service: Service, viewer: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures_page, "PAGE_ROWS", 1)
    await an_erasure(service)
    path, seen = f"/console{PATH}?state=open", []
    while path:
        page = (await viewer.http.get(path)).text
        seen += re.findall(r'href="/console/followers/erasures/([0-9a-f-]{36})"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(older[1]) if older else ""

    assert len(seen) == len(set(seen)) == 2


async def test_an_owner_closes_what_needs_a_person(service: Service, owner: Operator) -> None:
    path = await an_erasure_that_needs_a_person(service)
    page = (await owner.get(path)).text
    wrong = await owner.post(f"{path}/close", {"confirmation": "close"})
    still = await service.read("erasures", needs_person="true")
    right = await owner.post(f"{path}/close", {"confirmation": "CLOSE"})
    log = (await owner.get("/audit", action="erasure.closed")).text

    assert f'href="/console/messages/{path.rpartition("/")[2]}"' in page
    assert wrong.status_code == 422
    assert "Nothing was closed" in wrong.text
    assert len(still["items"]) == 1
    assert right.status_code == 303
    assert (await service.read("erasures", needs_person="true"))["items"] == []
    assert "closed an erasure" in log


async def test_a_viewer_sees_it_and_may_not_close_it(service: Service, viewer: Operator) -> None:
    path = await an_erasure_that_needs_a_person(service)
    page = (await viewer.get(path)).text
    answer = await viewer.post(f"{path}/close", {"confirmation": "CLOSE"})

    assert "It takes the role Owner." in page
    assert f"{path}/close" not in page
    assert answer.status_code == 403


async def test_one_that_a_worker_carries_out_is_not_closed(
    service: Service, owner: Operator
) -> None:
    path = await an_erasure(service)
    answer = await owner.post(f"{path}/close", {"confirmation": "CLOSE"})

    assert answer.headers["Location"].endswith(path)
    assert "in progress" in (await owner.get(path)).text


async def test_what_waits_is_a_link_on_the_first_page(service: Service, viewer: Operator) -> None:
    await lives(service)
    await an_erasure_that_needs_a_person(service)

    assert f'href="/console{PATH}?state=needs_person"' in (await viewer.get("/today")).text


async def test_one_that_does_not_exist_is_not_found(owner: Operator) -> None:
    path = f"{PATH}/00000000-0000-0000-0000-000000000000"

    assert (await owner.get(path)).status_code == 404
    assert (await owner.post(f"{path}/close", {"confirmation": "CLOSE"})).status_code == 404
