"""`/api/webhooks`: endpoints as operators keep them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from standardwebhooks import WebhookVerificationError
from starlette.responses import Response

from app.webhooks import store
from app.worker import Jobs
from tests.service import Json, Service, WorldClock, running, settings_for
from tests.webhooks.makers import deliveries, followers, hook, work
from tests.webhooks.receiver import Receiver

UNKNOWN = "00000000-0000-7000-8000-000000000000"


async def test_a_webhook_is_added_read_changed_and_deleted(
    service: Service, receiver: Receiver
) -> None:
    added = await hook(service, receiver, description="CRM", types=["follow.*", "follow.*"])
    path = f"webhooks/{added['id']}"
    shown = await service.read(path)
    listed = await service.read("webhooks")
    changed = await service.api("PUT", path, json={"url": receiver.url, "enabled": False})
    deleted = await service.api("DELETE", path)
    again = await service.api("DELETE", path)

    assert shown["description"] == "CRM"
    assert shown["types"] == ["follow.*"]
    assert listed["items"] == [shown]
    assert (changed.json()["enabled"], changed.json()["types"]) == (False, ["*"])
    assert (deleted.status_code, again.status_code) == (204, 404)


async def test_the_secret_is_shown_when_it_is_made_and_never_again(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    connection: asyncpg.Connection,
    capfd: pytest.CaptureFixture[str],
) -> None:
    added = await hook(service, receiver)
    path = f"webhooks/{added['id']}"
    rotated = await service.api("POST", f"{path}/secret", json={})
    await followers(service, 1)
    receiver.always = Response(status_code=410)
    await work(jobs, connection)
    answers = [
        await service.api("GET", "webhooks"),
        await service.api("GET", path),
        await service.api("PUT", path, json={"url": receiver.url}),
        await service.api("POST", f"{path}/replay", json={"from": 1}),
        await service.api("POST", f"{path}/test"),
        await service.api("GET", f"{path}/deliveries"),
    ]
    printed = "".join(capfd.readouterr())

    secrets = [added["secret"], rotated.json()["secret"]]
    assert all(secret.startswith("whsec_") for secret in secrets)
    assert len(set(secrets)) == 2
    assert "not_delivered" in printed
    for text in (printed, *(answer.text for answer in answers)):
        assert "whsec_" not in text
        assert not any(secret.removeprefix("whsec_") in text for secret in secrets)


async def test_both_secrets_sign_while_a_rotation_lasts(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    added = await hook(service, receiver)
    rotated = await service.api("POST", f"webhooks/{added['id']}/secret", json={"overlap_hours": 1})
    await followers(service, 1)
    await work(jobs, connection)
    service.clock.advance(timedelta(hours=1))
    await followers(service, 1, first=1)
    await work(jobs, connection)

    during, after = receiver.received
    assert during.verified_with(added["secret"]) == during.verified_with(rotated.json()["secret"])
    assert len(after.headers["webhook-signature"].split()) == 1


async def test_a_rotation_without_overlap_ends_the_old_secret_at_once(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    added = await hook(service, receiver)
    rotated = await service.api("POST", f"webhooks/{added['id']}/secret", json={"overlap_hours": 0})
    await followers(service, 1)
    await work(jobs, connection)

    (got,) = receiver.received
    got.verified_with(rotated.json()["secret"])
    with pytest.raises(WebhookVerificationError):
        got.verified_with(added["secret"])


async def test_a_replay_sends_everything_from_a_cursor_on_again(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    added = await hook(service, receiver)
    openids = await followers(service, 4)
    await work(jobs, connection)
    ids = [one.id for one in receiver.received]
    start = receiver.received[2].json["cursor"]
    receiver.received.clear()

    answer = await service.api("POST", f"webhooks/{added['id']}/replay", json={"from": start})
    await work(jobs, connection)

    assert answer.status_code == 202
    assert [one.json["data"]["openid"] for one in receiver.received] == openids[2:]
    assert [one.id for one in receiver.received] == ids[2:]


async def test_a_replay_reaches_back_to_before_the_webhook(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    openids = await followers(service, 3)
    added = await hook(service, receiver)

    await service.api("POST", f"webhooks/{added['id']}/replay", json={"from": 1})
    await work(jobs, connection)

    assert [one.json["data"]["openid"] for one in receiver.received] == openids


async def test_what_waits_is_sent_once_after_a_replay(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    added = await hook(service, receiver)
    receiver.answers.append(Response(status_code=500))
    await followers(service, 1)
    await work(jobs, connection)

    await service.api("POST", f"webhooks/{added['id']}/replay", json={"from": 1})
    service.clock.advance(timedelta(minutes=1))
    await work(jobs, connection)

    assert len(receiver.received) == 2
    assert [one["status"] for one in await deliveries(connection)] == ["replaced", "delivered"]


async def test_a_replay_of_what_was_not_sent_yet_is_refused(
    service: Service, receiver: Receiver
) -> None:
    added = await hook(service, receiver)

    answer = await service.api(
        "POST", f"webhooks/{added['id']}/replay", json={"from": added["cursor"] + 1}
    )

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "from"]
    assert f"up to {added['cursor']}" in answer.json()["detail"][0]["msg"]


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_ping_is_sent_once_even_when_switched_off(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    connection: asyncpg.Connection,
    enabled: bool,
) -> None:
    added = await hook(service, receiver, enabled=enabled)
    receiver.always = Response(status_code=503)

    answer = await service.api("POST", f"webhooks/{added['id']}/test")
    await work(jobs, connection)
    service.clock.advance(timedelta(hours=1))
    await work(jobs, connection)

    assert answer.status_code == 202
    assert answer.json()["status"] == "waiting"
    assert [one["status"] for one in await deliveries(connection)] == ["failed"]
    (got,) = receiver.received
    assert got.json["type"] == "webhook.ping"
    shown = await service.read(f"webhooks/{added['id']}")
    assert (shown["enabled"], shown["failing_since"]) == (enabled, None)


async def test_the_delivery_log_holds_every_delivery_once_whatever_the_page(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    added = await hook(service, receiver)
    other = await hook(service, receiver, types=["identity.*"])
    receiver.answers.append(Response(status_code=400))
    await followers(service, 7)
    await work(jobs, connection)

    path = f"webhooks/{added['id']}/deliveries"
    whole = (await service.read(path))["items"]
    for limit in (1, 3, 7, 8):
        found: list[Json] = []
        query: dict[str, Any] = {"limit": limit}
        while True:
            page = await service.read(path, **query)
            found += page["items"]
            if page["next"] is None:
                break
            query["before"] = page["next"]
        assert found == whole

    assert len(whole) == 7
    assert [one["position"] for one in whole] == sorted(
        (one["position"] for one in whole), reverse=True
    )
    waiting = (await service.read(path, status="waiting"))["items"]
    assert [(one["status_code"], one["attempts"]) for one in waiting] == [(400, 1)]
    assert (await service.read(f"webhooks/{other['id']}/deliveries"))["items"] == []


async def test_nothing_is_sent_to_a_deleted_webhook(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    added = await hook(service, receiver)
    await followers(service, 2)
    await jobs.dispatch_webhooks()

    await service.api("DELETE", f"webhooks/{added['id']}")
    await work(jobs, connection)

    assert receiver.received == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "hooks.example.com"}, "url"),
        ({"url": "https://user:pass@hooks.example.com/"}, "url"),
        ({"url": "https://hooks.example.com/ x"}, "url"),
        ({"url": "https://hooks.example.com/", "types": []}, "types"),
        ({"url": "https://hooks.example.com/", "types": ["follow.made"]}, "types"),
        ({"url": "https://hooks.example.com/", "enabled": "yes"}, "enabled"),
        ({"url": "https://hooks.example.com/", "secret": "whsec_mine"}, "secret"),
        ({"url": "https://hooks.example.com/", "description": "a\x00b"}, "description"),
    ],
    ids=str,
)
async def test_a_webhook_that_makes_no_sense_is_refused_by_field(
    service: Service, body: Json, field: str
) -> None:
    answer = await service.api("POST", "webhooks", json=body)

    assert answer.status_code == 422
    assert field in answer.json()["detail"][0]["loc"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"url": "https://hooks.example.com/"}),
        ("DELETE", "", None),
        ("POST", "/secret", {}),
        ("POST", "/replay", {"from": 1}),
        ("POST", "/test", None),
        ("GET", "/deliveries", None),
    ],
)
async def test_an_unknown_webhook_is_404(
    service: Service, method: str, path: str, body: Json | None
) -> None:
    answer = await service.api(method, f"webhooks/{UNKNOWN}{path}", json=body)

    assert answer.status_code == 404


async def test_inner_addresses_and_http_are_refused_unless_allowed(
    database_url: str, tmp_path: Path, clock: WorldClock
) -> None:
    async with running(settings_for(database_url, tmp_path), clock) as service:
        answers = [
            await service.api("POST", "webhooks", json={"url": url})
            for url in ("https://127.0.0.1/", "http://hooks.example.com/")
        ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert "WEBHOOK_ALLOW_PRIVATE" in answers[0].text
    assert "WEBHOOK_ALLOW_HTTP" in answers[1].text


async def test_there_are_not_more_webhooks_than_there_may_be(
    service: Service, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_WEBHOOKS", 1)
    await hook(service, receiver)

    answer = await service.api("POST", "webhooks", json={"url": receiver.url})

    assert answer.status_code == 409


async def test_a_webhook_can_be_sent_back_as_it_was_read(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    """Its cursor moves on between the two, which is no change of whoever sends it back."""
    path = f"webhooks/{(await hook(service, receiver))['id']}"
    read = await service.read(path)
    await followers(service, 1)
    await work(jobs, connection)

    answer = await service.api("PUT", path, json=read | {"description": "CRM"})

    assert answer.status_code == 200, answer.text
    assert answer.json()["description"] == "CRM"
    assert answer.json()["cursor"] > read["cursor"]


@pytest.mark.parametrize("name", ["id", "created_at"])
async def test_what_the_service_alone_sets_in_a_webhook_cannot_be_changed(
    service: Service, receiver: Receiver, name: str
) -> None:
    path = f"webhooks/{(await hook(service, receiver))['id']}"
    read = await service.read(path)
    other = {"id": "0190b3c2-0000-7000-8000-000000000000", "created_at": "2026-01-01T00:00:00Z"}

    answer = await service.api("PUT", path, json=read | {"enabled": False, name: other[name]})

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", name]
    assert f"is {read[name].replace('Z', '+00:00')}: send it unchanged" in problem["msg"]
    assert await service.read(path) == read


@pytest.mark.parametrize(
    "host",
    ["xn--", "xn--0", "a..b", "-a.example.com", "a" * 64 + ".com", "%00", ".".join("a" * 150)],
)
async def test_a_host_that_cannot_exist_is_named(service: Service, host: str) -> None:
    answer = await service.api("POST", "webhooks", json={"url": f"https://{host}/"})

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", "url"]
    assert "write it as" in problem["msg"]
