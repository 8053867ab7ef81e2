"""What the audit log shows of a change of what has no revisions: what differs, and no secret."""

from collections.abc import Mapping

import asyncpg
import pytest

from app.access.audit_values import Members, address, difference, secret, shown
from tests.service import APPID, Json, Service, rows

LOG = "SELECT action, subject_id, before, after FROM audit_log ORDER BY id"


async def logged(connection: asyncpg.Connection) -> list[Mapping[str, str | None]]:
    return list(await rows(connection, LOG))


async def changed(service: Service, path: str, first: Json, second: Json) -> str:
    """Add something, change it and delete it; return its id."""
    answer = await service.api("POST", path, json=first)
    assert answer.status_code == 201, answer.text
    one = f"{path}/{answer.json()['id']}"
    answer = await service.api("PUT", one, json=second)
    assert answer.status_code == 200, answer.text
    assert (await service.api("DELETE", one)).status_code == 204
    return str(answer.json()["id"])


async def test_a_webhook_is_shown_without_what_its_url_may_hide(
    service: Service, connection: asyncpg.Connection
) -> None:
    service.app.state.settings = service.settings.model_copy(update={"webhook_allow_private": True})
    first: Json = {
        "url": "https://crm.example.com/hook?key=k-e-y",
        "types": ["follow.*"],
        "description": "CRM",
        "enabled": True,
    }
    webhook = await changed(
        service, "webhooks", first, first | {"url": "https://crm.example.com/hook?key=o-t-h-e-r"}
    )

    added, replaced, deleted = await logged(connection)
    url = "url: https://crm.example.com/hook?…"
    whole = f"{url}; description: CRM; types: follow.*; enabled: on"
    assert {one["subject_id"] for one in (added, replaced, deleted)} == {webhook}
    assert (added["before"], added["after"]) == (None, whole)
    assert (replaced["before"], replaced["after"]) == (url, f"{url} (changed)")
    assert (deleted["before"], deleted["after"]) == (whole, None)


async def test_a_receiver_of_alarms_is_shown_without_its_secrets(
    service: Service, connection: asyncpg.Connection
) -> None:
    first: Json = {
        "name": "ops",
        "kind": "dingtalk",
        "url": "https://robot.example.com/send?access_token=t-o-k-e-n",
        "secret": "SEC-one",
    }
    second = first | {"name": "值班", "enabled": False, "secret": "SEC-two"}

    await changed(service, "alarms/receivers", first, second)

    added, replaced, deleted = await logged(connection)
    assert added["after"] == (
        "kind: dingtalk; name: ops; language: zh; enabled: on; host: robot.example.com; "
        "url: set; secret: set; password: none"
    )
    assert replaced["before"] == "name: ops; enabled: on; secret: set"
    assert replaced["after"] == "name: 值班; enabled: off; secret: set (changed)"
    assert deleted["before"] == (
        "kind: dingtalk; name: 值班; language: zh; enabled: off; host: robot.example.com"
    )


async def test_a_note_is_shown_by_what_was_changed(
    service: Service, connection: asyncpg.Connection
) -> None:
    first: Json = {"text": "Posters", "day": "2026-11-11"}
    await changed(service, "chart-notes", first, first | {"appid": APPID, "text": "x" * 100})

    added, replaced, deleted = await logged(connection)
    assert added["after"] == "day: 2026-11-11; text: Posters"
    assert replaced["before"] == "appid: –; text: Posters"
    assert replaced["after"] == f"appid: {APPID}; text: {'x' * 59}…"
    assert deleted["before"] == f"appid: {APPID}; day: 2026-11-11; text: {'x' * 59}…"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://name:pass@h.example.com:8443/a?b#c", "https://h.example.com:8443/a?…"),
        ("https://h.example.com", "https://h.example.com"),
        ("https://[::1]:80/a#token", "https://[::1]:80/a?…"),
    ],
)
def test_an_address_shows_neither_who_signs_in_nor_its_query(url: str, words: str) -> None:
    assert address(url).words == words


def test_what_is_equal_is_left_out() -> None:
    members: Members = {"name": "a", "secret": secret("s"), "types": ["x", "y"], "enabled": False}

    assert difference(members, dict(members)) == (None, None)
    assert difference(members, {**members, "secret": secret(None)}) == (
        "secret: set",
        "secret: none",
    )
    assert shown({**members, "empty": ""}) == "name: a; secret: set; types: x y; enabled: off"
