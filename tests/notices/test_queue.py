"""What `POST /api/notices` takes, what it refuses, and that a key queues once."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from app.notices.sweep import sweep
from app.worker import Jobs
from simulator.notices import Template
from tests.notices.makers import (
    BIZSEND,
    CONTENT,
    DATA,
    MESSAGE,
    NEWS,
    PARCEL,
    body,
    ids_of,
    known,
    post,
    queued,
)
from tests.notices.test_values import DOES_NOT_FIT
from tests.service import (
    APPID,
    CARD_APPID,
    OPENID,
    OTHER_OPENID,
    Json,
    Service,
    WeChat,
    WorldClock,
    column,
    rows,
    wechat_names,
)

pytestmark = pytest.mark.asyncio


async def test_templates_are_listed_with_their_keys(service: Service, wechat: WeChat) -> None:
    found = {one["template_id"]: one for one in (await service.read("templates"))["items"]}
    assert list(found) == [PARCEL, NEWS, MESSAGE]
    assert found[PARCEL]["content"] == CONTENT
    assert found[PARCEL]["keys"][1] == {
        "name": "thing3",
        "label": "提示",
        "type": "thing",
        "choices": [],
    }
    assert [one["is_long_term"] for one in found.values()] == [False, True, False]
    assert found[NEWS]["keys"][0]["choices"] == ["待取", "已取"]
    assert [key["name"] for key in found[MESSAGE]["keys"]] == ["character_string1"]

    del wechat.state.notices.templates[APPID][NEWS]
    await service.api("POST", "templates/refresh", json={"appid": APPID})
    left = (await service.read("templates", appid=APPID))["items"]
    assert [one["template_id"] for one in left] == [PARCEL, MESSAGE]
    refused = await post(service, body(template_id=NEWS, data={"enum_string2": "待取"}))
    assert "POST /api/templates/refresh" in refused.json()["detail"][0]["msg"]


async def test_an_account_without_the_right_to_one_kind_has_the_other(
    service: Service, wechat: WeChat
) -> None:
    wechat.strike("/wxaapi/newtmpl/gettemplate", errcode=200100, count=1)
    answer = await service.api("POST", "templates/refresh", json={"appid": APPID})
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 3
    before = (await service.read("audit", action="templates.read"))["items"]
    assert before[0]["subject_id"] == APPID
    wechat.strike("/wxaapi/newtmpl/gettemplate", errcode=-1, count=1)
    answer = await service.api("POST", "templates/refresh", json={"appid": APPID})
    assert answer.status_code == 502
    assert (await service.read("audit", action="templates.read"))["items"] == before
    assert "WeChat is busy" in answer.json()["detail"]


async def test_a_request_is_queued_with_one_job(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await known(service, OPENID, OTHER_OPENID)
    found = await queued(service, OPENID, OTHER_OPENID)

    assert [one["openid"] for one in found["notices"]] == [OPENID, OTHER_OPENID]
    page = await service.read("notices", send_id=found["send_id"])
    assert [one["id"] for one in page["items"]] == [str(one) for one in ids_of(found)[::-1]]
    assert page["items"][0]["status"] == "pending"
    payloads = await column(
        connection, "SELECT payload FROM pgqueuer WHERE entrypoint = 'notices.send'"
    )
    assert [found["send_id"] in str(one) for one in payloads] == [True]
    assert wechat.calls(BIZSEND) == []
    noted = (await service.read("audit", action="notices.queued"))["items"]
    assert [(one["subject_id"], one["count"]) for one in noted] == [(APPID, 2)]


async def test_one_key_queues_once_however_often_and_at_once(
    service: Service, connection: asyncpg.Connection
) -> None:
    await known(service, OPENID)
    answers = await asyncio.gather(*(post(service, body(), "order-88") for _ in range(8)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert await column(connection, "SELECT count(*) FROM notices") == [1]

    other = await post(service, body(data=DATA | {"thing3": "another"}), "order-88")
    assert other.status_code == 409
    assert "Idempotency-Key" in other.json()["detail"]
    assert len(ids_of(await queued(service))) == 1  # without a key nothing is compared
    assert await column(connection, "SELECT count(*) FROM notices") == [2]


@pytest.mark.parametrize("swept", [True, False])
async def test_a_key_is_kept_for_seven_days_and_not_a_second_longer(
    service: Service, connection: asyncpg.Connection, jobs: Jobs, clock: WorldClock, swept: bool
) -> None:
    await known(service, OPENID)
    first = await post(service, body(), "order-88")
    clock.advance(timedelta(days=7))
    if swept:
        await sweep(jobs.database.sessions, clock)
    assert (await post(service, body(), "order-88")).text == first.text
    assert (await post(service, body(url="https://a.example/"), "order-88")).status_code == 409

    clock.advance(timedelta(seconds=1))
    if swept:
        await sweep(jobs.database.sessions, clock)
    changed = body(url="https://a.example/")
    answers = await asyncio.gather(*(post(service, changed, "order-88") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers} - {first.text}) == 1
    assert await column(connection, "SELECT count(*) FROM notices") == [2]


async def test_a_person_is_named_by_unionid(service: Service) -> None:
    await known(service, OPENID)
    await wechat_names(service, OPENID, "uONE")
    recipients = [{"unionid": "uONE", "data": {"thing3": "own"}}]
    found = await queued(service, recipients=recipients)
    assert [one["openid"] for one in found["notices"]] == [OPENID]

    for unknown in ([{"unionid": "uTWO"}], [{"openid": "oNobody"}]):
        answer = await post(service, body(recipients=unknown))
        assert answer.status_code == 422
        (problem,) = answer.json()["detail"]
        assert problem["loc"][:3] == ["body", "recipients", 0]
        assert "follower sync" in problem["msg"]
    twice = [{"openid": OPENID}, {"unionid": "uONE"}]
    answer = await post(service, body(recipients=twice))
    assert answer.json()["detail"][0]["loc"] == ["body", "recipients", 1, "unionid"]


WRONG_VALUES = [(kind, values) for kind, values in DOES_NOT_FIT.items() if kind != "keyword"]
WRONG: list[tuple[Json, list[Any], str]] = [
    ({"data": DATA | {"time5": "soon"}}, ["data", "time5"], "HH:MM"),
    ({"data": DATA | {"thing9": "x"}}, ["data", "thing9"], "its keys are character_string1"),
    ({"data": {"thing3": "x", "time5": "18:00"}}, ["data", "character_string1"], "is missing"),
    (
        {"recipients": [{"openid": OPENID, "data": {"time5": "never"}}]},
        ["recipients", 0, "data", "time5"],
        "HH:MM",
    ),
    (
        {"miniprogram": {"appid": "wxffffffffffffffff", "pagepath": "pages/x"}},
        ["miniprogram", "appid"],
        "MINI_PROGRAM_APPIDS",
    ),
    (
        {"miniprogram": {"appid": CARD_APPID, "pagepath": "{ref}" * 204}},
        ["miniprogram", "pagepath"],
        "shorten it",
    ),
    ({"appid": CARD_APPID}, ["appid"], "AppSecret"),
    ({"template_id": "TPL_other"}, ["template_id"], "GET /api/templates"),
]


@pytest.mark.parametrize(("changes", "place", "fix"), WRONG)
async def test_what_wechat_would_refuse_is_refused_before(
    service: Service, connection: asyncpg.Connection, changes: Json, place: list[Any], fix: str
) -> None:
    service.settings.__dict__["mini_programs"] = frozenset({CARD_APPID})
    await known(service, OPENID)
    answer = await post(service, body(**changes))

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", *place]
    assert fix in problem["msg"]
    assert await rows(connection, "SELECT 1 FROM notice_sends") == []


async def test_each_type_of_value_has_its_own_fix(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    """All that is wrong is named at once, and nothing of the request is queued."""
    wrong = {f"{kind}{number}": values[0] for number, (kind, values) in enumerate(WRONG_VALUES)}
    content = "\n".join(f"a:{{{{{name}.DATA}}}}" for name in wrong)
    template = Template(template_id="TPL_all", title="all", content=content)
    wechat.state.notices.templates[APPID]["TPL_all"] = template
    await service.api("POST", "templates/refresh", json={"appid": APPID})
    await known(service, OPENID)

    answer = await post(service, body(template_id="TPL_all", data=wrong))
    assert answer.status_code == 422
    problems = answer.json()["detail"]
    assert [one["loc"] for one in problems] == [["body", "data", name] for name in wrong]
    for (kind, _), one in zip(WRONG_VALUES, problems, strict=True):
        assert f"does not fit {kind}: " in one["msg"]
    assert len({one["msg"].partition(": ")[2] for one in problems}) == len(wrong)
    assert await rows(connection, "SELECT 1 FROM notice_sends") == []


async def test_a_request_names_a_thousand_people_and_not_one_more(service: Service) -> None:
    answer = await post(service, body(*(f"o{number}" for number in range(1001))))
    assert answer.status_code == 422
    assert "1000" in answer.json()["detail"][0]["msg"]
    both = await post(service, body(recipients=[{"openid": "o", "unionid": "u"}]))
    assert "either openid or unionid" in both.text


async def test_a_list_needs_a_send_or_a_person(service: Service) -> None:
    await known(service, OPENID)
    found = await queued(service)
    of_person = await service.read("notices", appid=APPID, openid=OPENID)
    assert [one["send_id"] for one in of_person["items"]] == [found["send_id"]]
    notice = await service.read(f"notices/{ids_of(found)[0]}")
    assert notice == of_person["items"][0]
    for query in ({}, {"appid": APPID}, {"send_id": found["send_id"], "openid": OPENID}):
        answer = await service.api("GET", "notices", params=query)
        assert answer.status_code == 422
        assert "give send_id" in answer.text
    missing = await service.api("GET", f"notices/{found['send_id']}")
    assert missing.status_code == 404
