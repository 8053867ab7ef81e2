"""The pages about alarms: receivers are added, tested, changed and deleted; thresholds are set."""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from simulator.group_robots import GroupRobots
from tests.alarms.makers import Group
from tests.alarms.served import served
from tests.console import made_alarms
from tests.console.operator import Operator
from tests.service import APPID, Service, rows

ROBOT = {"name": "值班群", "language": "en", "enabled": "on"}


@pytest.fixture
async def group() -> AsyncIterator[Group]:
    """Groups with a robot each, on a real port."""
    robots = GroupRobots()
    async with served(robots.app()) as address:
        yield Group(robots, address)


@pytest.fixture(autouse=True)
def _private(service: Service) -> None:
    """Let alarms reach this machine."""
    service.app.state.settings = service.settings.model_copy(
        update={"webhook_allow_http": True, "webhook_allow_private": True}
    )


async def test_a_robot_is_added_tested_changed_and_deleted(
    owner: Operator, group: Group, connection: asyncpg.Connection
) -> None:
    form = ROBOT | {"url": group.url("dingtalk"), "secret": group.robots.secret}
    answer = await owner.post("/alarms/receivers/new/dingtalk", form)
    assert answer.status_code == 303, answer.text
    [receiver] = await rows(connection, "SELECT id FROM alarm_receivers")
    path = f"/alarms/receivers/{receiver['id']}"

    answer = await owner.post(f"{path}/test", {})
    assert "The receiver has taken the test." in answer.text
    assert len(group.texts) == 1
    answer = await owner.post(f"{path}/test", {})
    assert answer.status_code == 429

    answer = await owner.post(path, ROBOT | {"name": "renamed", "unsigned": "on"})
    assert answer.status_code == 303, answer.text
    shown = await owner.get(path)
    assert "renamed" in shown.text
    assert group.robots.key not in shown.text
    assert "SEC-of-the-robot" not in shown.text

    await owner.post(f"{path}/delete", {})
    assert await rows(connection, "SELECT id FROM alarm_receivers") == []


async def test_what_a_robot_answers_is_shown_by_the_test(
    owner: Operator, group: Group, connection: asyncpg.Connection
) -> None:
    group.robots.refusing = {"errcode": 93000, "errmsg": "<b>invalid</b>"}
    await owner.post("/alarms/receivers/new/wecom", ROBOT | {"url": group.url()})
    [receiver] = await rows(connection, "SELECT id FROM alarm_receivers")

    answer = await owner.post(f"/alarms/receivers/{receiver['id']}/test", {})

    assert "errcode 93000: &lt;b&gt;invalid&lt;/b&gt;" in answer.text


@pytest.mark.parametrize(
    ("kind", "form", "sentence"),
    [
        ("wecom", {"url": ""}, "Write the address that the robot or webhook shows"),
        ("wecom", {"url": "https://h.example.com/", "name": ""}, "1 to 60 characters."),
        ("feishu", {"url": "ftp://h"}, "Write the address that the robot or webhook shows"),
        ("email", {"host": "h h", "sender": "a@b", "recipients": "c@d"}, "without blanks"),
        ("email", {"host": "h", "sender": "a", "recipients": "c@d"}, "Write one address"),
        ("email", {"host": "h", "sender": "a@b", "recipients": "c"}, "1 to 20 addresses"),
        (
            "email",
            {"host": "h", "sender": "a@b", "recipients": "c@d", "username": "u"},
            "Write name and password together",
        ),
    ],
)
async def test_what_is_wrong_is_told_at_its_field_with_what_was_typed(
    owner: Operator, kind: str, form: dict[str, str], sentence: str
) -> None:
    answer = await owner.post(f"/alarms/receivers/new/{kind}", ROBOT | form)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert form.get("name", "值班群") in answer.text


async def test_a_password_is_never_shown_again(
    owner: Operator, connection: asyncpg.Connection
) -> None:
    form = {"host": "h", "sender": "a@b", "recipients": "c@d", "username": "u"}
    secret = {"password": "pass-word-1"}
    answer = await owner.post("/alarms/receivers/new/email", ROBOT | form | secret)
    assert answer.status_code == 303, answer.text
    [receiver] = await rows(connection, "SELECT id FROM alarm_receivers")
    path = f"/alarms/receivers/{receiver['id']}"

    assert "pass-word-1" not in (await owner.get(path)).text
    answer = await owner.post(path, ROBOT | form)
    assert answer.status_code == 303, answer.text
    answer = await owner.post(path, ROBOT | form | {"host": "elsewhere"})
    assert answer.status_code == 422


async def test_a_threshold_is_set_and_removed(
    owner: Operator, connection: asyncpg.Connection
) -> None:
    path, form = "/alarms/thresholds/no_push", {"appid": APPID, "enabled": "on", "value": "45"}
    answer = await owner.post(path, form)
    assert answer.status_code == 303, answer.text
    stored = await rows(connection, "SELECT kind, appid, enabled, value FROM alarm_thresholds")
    assert stored == [{"kind": "no_push", "appid": APPID, "enabled": True, "value": 45}]
    assert 'value="45"' in (await owner.get(f"{path}?appid={APPID}")).text

    for wrong in ("0", "many", "nan", "43201"):
        answer = await owner.post(path, form | {"value": wrong})
        assert answer.status_code == 422
        assert "A number from 1 to 43200, or nothing" in answer.text

    await owner.post(f"{path}/reset", {"appid": APPID, "seen": f"{APPID} on-45.0"})
    assert await rows(connection, "SELECT kind FROM alarm_thresholds") == []


async def test_a_threshold_that_somebody_else_has_changed_is_not_replaced_unseen(
    owner: Operator, connection: asyncpg.Connection
) -> None:
    path, form = "/alarms/thresholds/no_push", {"appid": APPID, "enabled": "on"}

    def seen(page: str) -> str:
        return str(re.findall(r'name="seen" value="([^"]*)"', page)[0])

    shown = seen((await owner.get(f"{path}?appid={APPID}")).text)
    await owner.post(path, form | {"value": "45", "seen": shown})
    stale = await owner.post(path, form | {"value": "77", "seen": shown})
    kept = await rows(connection, "SELECT value FROM alarm_thresholds")
    again = await owner.post(path, form | {"value": "77", "seen": seen(stale.text)})

    assert stale.status_code == 409
    assert '<td data-label="Threshold">45</td>' in stale.text
    assert 'value="77"' in stale.text
    assert kept == [{"value": 45}]
    assert again.status_code == 303
    assert await rows(connection, "SELECT value FROM alarm_thresholds") == [{"value": 77}]


async def test_a_threshold_that_somebody_else_has_changed_is_not_removed_unseen(
    owner: Operator, connection: asyncpg.Connection
) -> None:
    path, form = "/alarms/thresholds/no_push", {"appid": APPID, "enabled": "on"}

    def seen(page: str) -> str:
        marks = set(re.findall(r'name="seen" value="([^"]*)"', page))
        assert len(marks) == 1
        return str(marks.pop())

    await owner.post(path, form | {"value": "45"})
    shown = seen((await owner.get(f"{path}?appid={APPID}")).text)
    await owner.post(path, form | {"value": "60", "seen": shown})
    stale = await owner.post(f"{path}/reset", {"appid": APPID, "seen": shown})
    kept = await rows(connection, "SELECT value FROM alarm_thresholds")
    again = await owner.post(f"{path}/reset", {"appid": APPID, "seen": seen(stale.text)})

    assert stale.status_code == 409
    assert '<td data-label="Threshold">60</td>' in stale.text
    assert kept == [{"value": 60}]
    assert again.status_code == 303
    assert await rows(connection, "SELECT value FROM alarm_thresholds") == []


async def test_a_viewer_sees_all_and_changes_nothing(viewer: Operator, service: Service) -> None:
    await made_alarms.a_list(service)

    shown = await viewer.get("/alarms")

    assert "robot.example.com" in shown.text
    assert made_alarms.KEY not in shown.text
    assert (await viewer.get("/alarms/receivers/new/wecom")).status_code == 403
    assert (await viewer.post("/alarms/thresholds/quota", {})).status_code == 403
