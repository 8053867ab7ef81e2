"""`/api/alarms`: receivers whose secrets are never shown, thresholds, and the list of alarms."""

from datetime import timedelta

import asyncpg
import pytest
from pydantic import SecretStr

from app.alarms.receiver_store import MAX_RECEIVERS
from app.alarms.watch import ENDS_AFTER
from app.cli.secrets import rewrite_all
from app.settings import Settings
from app.worker import Jobs
from tests.alarms.makers import Group, added, alarms, calm, refuse
from tests.service import ADMIN_TOKEN, APPID, CARD_APPID, Json, Service, WorldClock, rows

MAIL: Json = {
    "host": "smtp.example.com",
    "sender": "alarms@example.com",
    "recipients": ["oncall@example.com"],
}
EMAIL: Json = {"name": "On call", "kind": "email", "mail": MAIL}
SIGNED_IN: Json = EMAIL | {"mail": MAIL | {"username": "alarms"}, "password": "pass-word-1"}
WECOM: Json = {"name": "ops", "kind": "wecom", "url": "https://qyapi.example.com/send?key=k-e-y"}


async def test_no_answer_and_no_row_shows_a_secret(
    service: Service, connection: asyncpg.Connection
) -> None:
    feishu = {"name": "f", "kind": "feishu", "url": "https://f.example.com/hook/k-e-y"}
    bodies = [WECOM, SIGNED_IN, feishu | {"secret": "S-E-C-R-E-T"}]
    for body in bodies:
        receiver = await added(service, body)
        again = await service.api("PUT", f"alarms/receivers/{receiver['id']}", json=body)
        assert again.status_code == 200, again.text
        assert not {"url", "secret", "password"} & {*receiver, *again.json()}

    listed = await service.api("GET", "alarms/receivers")
    assert [one["host"] for one in listed.json()["items"]] == [
        "qyapi.example.com",
        "smtp.example.com",
        "f.example.com",
    ]
    stored = str(await rows(connection, "SELECT * FROM alarm_receivers"))
    stored += str(await rows(connection, "SELECT * FROM audit_log"))
    for secret in ("k-e-y", "S-E-C-R-E-T", "pass-word-1"):
        assert secret not in listed.text
        assert secret not in stored


async def test_secrets_are_encrypted_anew_with_another_key(
    service: Service, settings: Settings, connection: asyncpg.Connection
) -> None:
    await added(service, WECOM)
    [before] = await rows(connection, "SELECT secrets FROM alarm_receivers")
    key = SecretStr("another key of sixteen characters")
    newer = settings.model_copy(
        update={"secret_key": key, "secret_key_previous": settings.secret_key}
    )

    assert await rewrite_all(newer) == 0

    [after] = await rows(connection, "SELECT secrets FROM alarm_receivers")
    assert after["secrets"] != before["secrets"]
    without = newer.model_copy(update={"secret_key_previous": None})
    assert await rewrite_all(without) == 0
    wrong = settings.model_copy(update={"secret_key": SecretStr("a third key of many letters")})
    assert await rewrite_all(wrong) == 1


@pytest.mark.parametrize(
    ("changes", "member", "words"),
    [
        ({"kind": "wecom", "mail": None}, "url", "is missing"),
        ({"kind": "wecom", "url": "https://h.example.com/"}, "mail", "leave it out"),
        ({"mail": None}, "mail", "is missing"),
        ({"url": "https://h.example.com/"}, "url", "leave it out"),
        ({"password": "p"}, "password", "mail.username"),
        ({"mail": MAIL | {"username": "u"}}, "password", "is missing"),
        (
            {"mail": MAIL | {"username": "u", "security": "none"}, "password": "p"},
            "password",
            "without encryption",
        ),
        (
            {"kind": "wecom", "mail": None, "url": "https://h.example.com/", "secret": "s"},
            "secret",
            "no signature",
        ),
        (
            {"kind": "webhook", "mail": None, "url": "https://h.example.com/", "secret": "s"},
            "secret",
            "whsec_",
        ),
        ({"kind": "wecom", "mail": None, "url": "https://u:p@h.example.com/"}, "url", "user name"),
    ],
)
async def test_what_can_not_work_is_refused_with_what_to_do(
    service: Service, changes: Json, member: str, words: str
) -> None:
    answer = await service.api("POST", "alarms/receivers", json=EMAIL | changes)

    assert answer.status_code == 422, answer.text
    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["body", member]
    assert words in problem["msg"]


@pytest.mark.parametrize(
    "address", ["a@b\r\nBcc: c@d", "a b@c", "<a@b>", "a@b, c@d", "a@b>", "a"], ids=repr
)
async def test_an_address_of_an_e_mail_holds_no_header(service: Service, address: str) -> None:
    body = EMAIL | {"mail": MAIL | {"recipients": [address]}}

    answer = await service.api("POST", "alarms/receivers", json=body)

    assert answer.status_code == 422


async def test_what_is_left_out_of_a_replacement_is_kept(service: Service, group: Group) -> None:
    receiver = await added(service, group.receiver("dingtalk"))
    body = {"name": "renamed", "kind": "dingtalk", "language": "zh", "enabled": False}

    answer = await service.api("PUT", f"alarms/receivers/{receiver['id']}", json=body)
    assert answer.status_code == 200, answer.text

    assert answer.json()["name"] == "renamed"
    tested = await service.api("POST", f"alarms/receivers/{receiver['id']}/test")
    assert tested.json() == {"accepted": True, "error": None}
    assert group.texts == ["OA Bridge 告警\n这是一条测试消息。本服务的告警会发送到这里。"]


async def test_a_receiver_may_be_sent_back_as_it_was_read(service: Service) -> None:
    receiver = await added(service, SIGNED_IN)

    answer = await service.api("PUT", f"alarms/receivers/{receiver['id']}", json=receiver)

    assert answer.status_code == 200, answer.text
    changed = receiver | {"kind": "wecom", "mail": None}
    answer = await service.api("PUT", f"alarms/receivers/{receiver['id']}", json=changed)
    assert answer.status_code == 422


@pytest.mark.parametrize("change", [{"host": "smtp.evil.example"}, {"port": 2525}], ids=str)
async def test_a_password_goes_to_no_server_that_it_was_not_written_for(
    service: Service, change: Json
) -> None:
    receiver = await added(service, SIGNED_IN)
    path = f"alarms/receivers/{receiver['id']}"
    moved = EMAIL | {"mail": SIGNED_IN["mail"] | change}

    answer = await service.api("PUT", path, json=moved)
    assert answer.status_code == 422
    assert "written again" in answer.json()["detail"][0]["msg"]

    answer = await service.api("PUT", path, json=moved | {"password": "p"})
    assert answer.status_code == 200


async def test_an_address_inside_the_network_is_refused(
    service: Service, settings: Settings
) -> None:
    service.app.state.settings = settings.model_copy(
        update={"webhook_allow_private": False, "webhook_allow_http": False}
    )
    for url, words in (
        ("https://127.0.0.1/hook", "inside a network"),
        ("http://h.example.com/", "https://"),
    ):
        answer = await service.api("POST", "alarms/receivers", json=WECOM | {"url": url})
        assert answer.status_code == 422
        assert words in answer.json()["detail"][0]["msg"]


async def test_receivers_have_a_bound(service: Service) -> None:
    for _ in range(MAX_RECEIVERS):
        await added(service, WECOM)

    answer = await service.api("POST", "alarms/receivers", json=WECOM)

    assert answer.status_code == 409


async def test_a_test_is_sent_once_in_ten_seconds(
    service: Service, group: Group, clock: WorldClock
) -> None:
    receiver = await added(service, group.receiver())
    path = f"alarms/receivers/{receiver['id']}/test"
    assert (await service.api("POST", path)).status_code == 200

    answer = await service.api("POST", path)
    assert answer.status_code == 429
    clock.advance(timedelta(seconds=10))
    assert (await service.api("POST", path)).status_code == 200

    assert len(group.texts) == 2


async def test_a_receiver_that_is_deleted_is_gone(service: Service) -> None:
    path = f"alarms/receivers/{(await added(service, WECOM))['id']}"

    assert (await service.api("DELETE", path)).status_code == 204

    for method, end in (("GET", ""), ("DELETE", ""), ("POST", "/test")):
        assert (await service.api(method, path + end)).status_code == 404
    assert (await service.api("PUT", path, json=WECOM)).status_code == 404


async def test_thresholds_show_defaults_and_what_is_set(service: Service) -> None:
    body = {"appid": APPID, "value": 30}
    assert (await service.api("PUT", "alarms/thresholds/no_push", json=body)).status_code == 200
    body = {"enabled": False, "value": 95}
    assert (await service.api("PUT", "alarms/thresholds/quota", json=body)).status_code == 200

    listed = (await service.api("GET", "alarms/thresholds")).json()["items"]

    shown = {(one["kind"], one["appid"]): one for one in listed}
    assert shown["no_push", None]["default"] is None
    assert shown["no_push", APPID]["value"] == 30
    assert (shown["quota", None]["enabled"], shown["quota", None]["value"]) == (False, 95)
    assert shown["refusals", None]["default"] == 20

    deleted = await service.api("DELETE", f"alarms/thresholds/no_push?appid={APPID}")
    assert deleted.status_code == 204
    deleted = await service.api("DELETE", f"alarms/thresholds/no_push?appid={APPID}")
    assert deleted.status_code == 404


async def test_a_threshold_that_somebody_else_has_changed_is_not_replaced_unseen(
    service: Service,
) -> None:
    async def tag() -> str:
        listed = (await service.api("GET", "alarms/thresholds")).json()["items"]
        return {(one["kind"], one["appid"]): str(one["etag"]) for one in listed}["no_push", APPID]

    async def status(method: str, value: int | None, **headers: str) -> int:
        answer = await service.http.request(
            method,
            "/api/alarms/thresholds/no_push",
            headers={"authorization": f"Bearer {ADMIN_TOKEN}"}
            | {name.replace("_", "-"): text for name, text in headers.items()},
            params={"appid": APPID} if value is None else None,
            json=None if value is None else {"appid": APPID, "value": value},
        )
        if answer.status_code == 412:
            assert answer.headers["ETag"] == f'"{await tag()}"'
            assert await tag() in answer.json()["detail"]
        return answer.status_code

    assert await status("PUT", 30, if_match="none") == 200
    first = await tag()
    assert await status("PUT", 45, if_match="none") == 412
    assert await status("PUT", 45, if_match=f'W/"{first}"') == 200
    assert await status("PUT", 60, if_match=first) == 412
    assert await status("DELETE", None, if_match=first) == 412
    assert await status("PUT", 60, if_match="*") == 200
    assert await status("PUT", 61) == 200
    assert await status("DELETE", None, if_match=await tag()) == 204


@pytest.mark.parametrize(
    ("kind", "body", "member"),
    [
        ("quota", {"value": 101}, "value"),
        ("no_push", {"value": 50_000}, "value"),
        ("no_push", {"value": True}, "value"),
        ("no_push", {"value": "5"}, "value"),
        ("doctor", {"value": 2}, "value"),
        ("queue_age", {"appid": APPID, "value": 5}, "appid"),
        ("no_push", {"appid": CARD_APPID, "value": 5}, "appid"),
        ("no_push", {"appid": "wx0000000000000000", "value": 5}, "appid"),
    ],
)
async def test_a_threshold_out_of_its_bounds_is_refused(
    service: Service, kind: str, body: Json, member: str
) -> None:
    answer = await service.api("PUT", f"alarms/thresholds/{kind}", json=body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"] == ["body", member]


async def test_alarms_are_listed_by_state_and_page(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    for _ in range(2):
        await refuse(connection, clock.now())
        await jobs.watch_alarms()
        await calm(connection)
        clock.advance(ENDS_AFTER)
        await jobs.watch_alarms()
    await refuse(connection, clock.now())
    await jobs.watch_alarms()

    active = (await service.api("GET", "alarms", params={"state": "active"})).json()
    assert [(one["kind"], one["appid"], one["value"]) for one in active["items"]] == [
        ("refusals", APPID, 100)
    ]
    ended = (await service.api("GET", "alarms", params={"state": "ended"})).json()
    assert len(ended["items"]) == 2
    first = (await service.api("GET", "alarms", params={"limit": 2})).json()
    rest = await service.api("GET", "alarms", params={"limit": 2, "before": first["next"]})
    assert len(first["items"] + rest.json()["items"]) == 3
    assert rest.json()["next"] is None


async def test_alarms_that_were_over_90_days_ago_are_deleted(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await refuse(connection, clock.now())
    await jobs.watch_alarms()
    await calm(connection)
    clock.advance(ENDS_AFTER)
    await jobs.watch_alarms()
    clock.advance(timedelta(days=90))
    await jobs.sweep()
    assert len(await alarms(connection)) == 1

    clock.advance(timedelta(seconds=1))
    await jobs.sweep()

    assert await alarms(connection) == []


async def test_every_change_is_in_the_audit_log(
    service: Service, group: Group, connection: asyncpg.Connection
) -> None:
    receiver = await added(service, group.receiver())
    path = f"alarms/receivers/{receiver['id']}"
    await service.api("PUT", path, json=group.receiver())
    await service.api("POST", f"{path}/test")
    await service.api("DELETE", path)
    await service.api("PUT", "alarms/thresholds/quota", json={"value": 90})

    found = await rows(connection, "SELECT action, subject_id, after FROM audit_log ORDER BY id")

    assert [one["action"] for one in found] == [
        "alarm_receiver.added",
        "alarm_receiver.changed",
        "alarm_receiver.tested",
        "alarm_receiver.deleted",
        "alarm_threshold.changed",
    ]
    assert (found[-1]["subject_id"], found[-1]["after"]) == ("quota", "90")
