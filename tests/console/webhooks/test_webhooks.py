"""Webhooks in the console: what is shown to whom, and what an editor does with them."""

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from starlette.responses import Response

from app.access.roles import Role
from app.worker import Jobs
from tests.console.operator import Operator, signed_in
from tests.console.webhooks.makers import HOSTILE, URL, hook
from tests.service import Service
from tests.webhooks.makers import deliveries, follow, followers, work
from tests.webhooks.receiver import Receiver


@pytest.fixture
async def editor(service: Service) -> AsyncIterator[Operator]:
    """An editor with English pages."""
    async with signed_in(service, Role.EDITOR, name="Editor") as operator:
        yield operator


async def read(service: Service, webhook_id: str) -> dict[str, object]:
    """Return a webhook as the API has it."""
    return await service.read(f"webhooks/{webhook_id}")


async def actions(owner: Operator) -> str:
    """Return the page of the audit log."""
    return (await owner.get("/audit")).text


async def test_a_viewer_sees_the_host_alone_and_no_control(
    service: Service, viewer: Operator, editor: Operator
) -> None:
    webhook_id = await hook(service, description=HOSTILE)
    for path in ("/webhooks", f"/webhooks/{webhook_id}"):
        seen = (await viewer.get(path)).text
        assert "https://crm.example.com/…" in seen
        assert "a-token-in-the-path" not in seen
        assert "<b onclick" not in seen
        assert URL in (await editor.get(path)).text
    assert (
        f"/webhooks/{webhook_id}/delete" not in (await viewer.get(f"/webhooks/{webhook_id}")).text
    )


async def test_one_is_added_and_its_secret_is_shown_once(
    service: Service, editor: Operator, owner: Operator
) -> None:
    form = {
        "url": URL,
        "description": "CRM",
        "types": ["follow.*", "scan.created"],
        "enabled": "on",
    }
    answer = await editor.post("/webhooks/add", form)
    (added,) = (await service.read("webhooks"))["items"]
    page = await editor.get(f"/webhooks/{added['id']}")

    assert re.search(r'value="whsec_[^"]+"', answer.text)
    assert "whsec_" not in page.text
    assert (added["url"], added["types"]) == (URL, ["follow.*", "scan.created"])
    assert added["enabled"]
    assert "added a webhook" in await actions(owner)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"url": "ftp://crm.example.com"}, "Write it as https://host/path"),
        ({"url": "https://user:pw@crm.example.com/x"}, "remove them"),
        ({"url": "https://crm.example.com/#x"}, "fragment"),
        ({"url": ""}, "Write it as https://host/path"),
        ({"description": "x" * 201}, "At most 200 characters."),
        ({"types": []}, "Choose at least one."),
    ],
)
async def test_what_is_typed_wrong_is_said_beside_its_field(
    service: Service, editor: Operator, changes: dict[str, object], told: str
) -> None:
    form = {"url": URL, "description": HOSTILE, "types": ["*"], "enabled": "on", **changes}
    answer = await editor.post("/webhooks/add", form)

    assert answer.status_code == 422
    assert told in html.unescape(answer.text)
    assert "<b onclick" not in answer.text
    assert (await service.read("webhooks"))["items"] == []


async def test_a_problem_of_the_address_is_said_in_chinese(service: Service) -> None:
    async with signed_in(service, Role.EDITOR, language="zh") as editor:
        form = {"url": "https://crm.example.com/#x", "types": ["*"]}
        answer = await editor.post("/webhooks/add", form)

    assert "不能包含" in answer.text


async def test_one_is_changed(service: Service, editor: Operator, owner: Operator) -> None:
    webhook_id = await hook(service)
    form = await editor.get(f"/webhooks/{webhook_id}/edit")
    answer = await editor.post(
        f"/webhooks/{webhook_id}/edit", {"url": URL + "/new", "types": ["identity.*"]}
    )
    changed = await read(service, webhook_id)

    assert URL in form.text
    assert answer.status_code == 303
    assert (changed["url"], changed["types"], changed["enabled"]) == (
        URL + "/new",
        ["identity.*"],
        False,
    )
    assert "changed a webhook" in await actions(owner)


async def test_one_is_switched_off_and_on_and_nothing_else_changes(
    service: Service, editor: Operator
) -> None:
    webhook_id = await hook(service, description="CRM", types=["follow.*"])
    before = await read(service, webhook_id)
    await editor.post(f"/webhooks/{webhook_id}/disable")
    off = await read(service, webhook_id)
    await editor.post(f"/webhooks/{webhook_id}/enable")
    after = await read(service, webhook_id)

    assert not off["enabled"]
    for name in ("url", "description", "types", "enabled"):
        assert after[name] == before[name]


async def test_a_new_secret_is_shown_once_and_the_old_one_signs_along(
    service: Service, editor: Operator, owner: Operator
) -> None:
    webhook_id = await hook(service)
    answer = await editor.post(f"/webhooks/{webhook_id}/secret", {"overlap": "24"})
    overlap = (await read(service, webhook_id))["secret_previous_until"]
    await editor.post(f"/webhooks/{webhook_id}/secret", {"overlap": "0"})

    assert re.search(r'value="whsec_[^"]+"', answer.text)
    assert overlap is not None
    assert (await read(service, webhook_id))["secret_previous_until"] is None
    assert "gave a webhook a new secret" in await actions(owner)


async def test_one_is_deleted_when_its_host_is_typed(
    service: Service, editor: Operator, owner: Operator
) -> None:
    webhook_id = await hook(service)
    wrong = await editor.post(f"/webhooks/{webhook_id}/delete", {"confirmation": "example.com"})
    kept = await service.read("webhooks")
    right = await editor.post(f"/webhooks/{webhook_id}/delete", {"confirmation": "crm.example.com"})

    assert wrong.status_code == 422
    assert "Nothing was deleted" in wrong.text
    assert len(kept["items"]) == 1
    assert right.status_code == 303
    assert (await service.read("webhooks"))["items"] == []
    assert "deleted a webhook" in await actions(owner)


@pytest.mark.parametrize(
    ("status", "told"),
    [(204, "The endpoint has accepted the test."), (500, "status from 200 to 299")],
)
async def test_a_test_shows_what_was_answered(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    receiver: Receiver,
    editor: Operator,
    status: int,
    told: str,
) -> None:
    receiver.always = Response(status_code=status)
    webhook_id = await hook(service, url=receiver.url, enabled=False)
    answer = await editor.post(f"/webhooks/{webhook_id}/test")
    path = answer.headers["Location"].removeprefix("/console")
    waiting = await editor.get(path)
    await work(jobs, connection)
    over = await editor.get(path)

    assert "Nothing was answered yet." in waiting.text
    assert f'hx-get="/console{path}"' in waiting.text
    assert told in over.text
    assert str(status) in over.text
    assert "hx-trigger" not in over.text.split('id="result"')[1]


async def test_a_replay_says_first_how_many_and_sends_them_again(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    receiver: Receiver,
    editor: Operator,
    owner: Operator,
) -> None:
    webhook_id = await hook(service, url=receiver.url)
    await followers(service, 2)
    service.clock.advance(timedelta(hours=2))
    since = service.clock.now() + timedelta(hours=8)
    await followers(service, 3, first=2)
    await work(jobs, connection)
    path = f"/webhooks/{webhook_id}/replay"
    by_time = await editor.get(path, since=since.strftime("%Y-%m-%dT%H:%M"))
    last = receiver.received[-1].id
    by_id = await editor.get(path, id=last)
    start = re.findall(r'name="start" value="(\d+)"', by_time.text)[0]
    answer = await editor.post(path, {"start": start})
    page = (await editor.get(f"/webhooks/{webhook_id}")).text
    await work(jobs, connection)

    assert '<span class="figure">3</span>' in by_time.text
    assert '<span class="figure">1</span>' in by_id.text
    assert answer.status_code == 303
    assert 'id="progress" class="section" hx-get' in page
    assert len(receiver.received) == 8
    assert "replayed events to a webhook" in await actions(owner)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"id": "nonsense"}, "This is neither the id"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "This is neither the id"),
        ({"id": "9" * 30}, "This is neither the id"),
        ({"id": "999999999"}, "This was not sent yet"),
        ({"since": "2999-01-01T00:00"}, "No event has happened since then."),
    ],
)
async def test_a_replay_from_nowhere_is_explained(
    service: Service, editor: Operator, query: dict[str, str], told: str
) -> None:
    webhook_id = await hook(service)
    await follow(service)
    answer = await editor.get(f"/webhooks/{webhook_id}/replay", **query)

    assert answer.status_code == 422
    assert told in answer.text


async def test_a_replay_that_was_overtaken_changes_nothing(
    service: Service, editor: Operator
) -> None:
    webhook_id = await hook(service)
    before = (await read(service, webhook_id))["cursor"]
    answer = await editor.post(f"/webhooks/{webhook_id}/replay", {"start": "999999999"})

    assert answer.headers["Location"].endswith("/replay?id=999999999")
    assert (await read(service, webhook_id))["cursor"] == before


async def test_the_list_says_what_failed_and_what_waits(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    receiver: Receiver,
    viewer: Operator,
) -> None:
    receiver.always = Response(status_code=410)
    await hook(service, url=receiver.url)
    await followers(service, 2)
    await work(jobs, connection)
    page = (await viewer.get("/webhooks")).text

    assert [one["status"] for one in await deliveries(connection)] == ["failed", "waiting"]
    assert "Disabled" in page
    assert "410" in page
    assert 'data-label="Waiting">1<' in page


async def test_a_delivery_that_is_tried_again_is_not_said_to_be_no_failure(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    receiver: Receiver,
    viewer: Operator,
) -> None:
    receiver.always = Response(status_code=500)
    webhook_id = await hook(service, url=receiver.url)
    await followers(service, 1)
    await work(jobs, connection)
    pages = [(await viewer.get(path)).text for path in ("/webhooks", f"/webhooks/{webhook_id}")]

    assert [one["status"] for one in await deliveries(connection)] == ["waiting"]
    for page in pages:
        assert "Last given up" in page
        assert "Last failure" not in page


async def test_a_deleted_webhook_is_not_there(service: Service, editor: Operator) -> None:
    webhook_id = await hook(service)
    await editor.post(f"/webhooks/{webhook_id}/delete", {"confirmation": "crm.example.com"})
    for path in ("", "/edit", "/replay", "/progress", f"/test/{webhook_id}"):
        assert (await editor.get(f"/webhooks/{webhook_id}{path}")).status_code == 404
    for path in ("/edit", "/replay", "/test", "/secret", "/enable", "/disable", "/delete"):
        data = {"url": URL, "types": ["*"], "start": "1"}
        assert (await editor.post(f"/webhooks/{webhook_id}{path}", data)).status_code == 404
