"""`/api/campaigns`: adds, changes, lists and deletes campaigns, and redeems their codes."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from app.access import tokens
from app.access.actor import Actor, ActorKind
from app.access.scopes import ApiScope
from app.worker import Jobs
from tests.campaigns.makers import (
    CODED_CARD,
    added,
    body,
    code_of,
    given,
    imported,
    redeemed,
    rule_door,
    running,
    write,
)
from tests.qrcodes.makers import added as add_qrcode
from tests.service import (
    APPID,
    CARD_APPID,
    OPENID,
    OTHER_OPENID,
    Json,
    Service,
    WeChat,
    WorldClock,
    card,
    column,
    message,
    settings_for,
    text_reply,
)
from tests.service import (
    running as running_service,
)

OTHER_MINI_PROGRAM = "wx00000000000000aa"


async def test_a_campaign_is_added_read_listed_changed_and_deleted(
    service: Service, connection: asyncpg.Connection
) -> None:
    rule_id, qrcode = await service.add_rule(card()), await add_qrcode(service)
    doors = [rule_door(rule_id), {"kind": "qrcode", "id": qrcode["id"]}]
    target = {"appid": CARD_APPID, "pagepath": "pages/sale"}
    cost = {"amount": "99.90", "currency": "CNY"}
    first = await added(service, *doors, target=target, cost=cost, warn_below=7)
    second = await added(service, name="Other")

    assert sorted(first["doors"], key=str) == sorted(doors, key=str)
    assert (first["target"], first["cost"], first["codes_left"]) == (target, cost, None)
    page = await service.read("campaigns", limit=1)
    assert [item["id"] for item in page["items"]] == [second["id"]]
    page = await service.read("campaigns", limit=1, before=page["next"])
    assert (page["items"], page["next"]) == ([first], None)
    same = await service.api("PUT", f"campaigns/{first['id']}", json=first)
    assert same.json() == first | {"revision": 2, "updated_at": same.json()["updated_at"]}
    assert same.headers["etag"] == '"2"'
    changed = await service.api("PUT", f"campaigns/{first['id']}", json=first | {"doors": []})
    assert changed.json()["doors"] == []
    assert (await service.api("DELETE", f"campaigns/{first['id']}")).status_code == 204
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/figures"),
        ("GET", "/codes/imports"),
    ):
        answer = await service.api(method, f"campaigns/{first['id']}{path}")
        assert answer.status_code == 404
    assert await column(connection, "SELECT action FROM audit_log ORDER BY id") == [
        "rule.added",
        "qrcode.added",
        "campaign.added",
        "campaign.added",
        "campaign.changed",
        "campaign.changed",
        "campaign.deleted",
    ]


async def test_nobody_overwrites_a_revision_that_they_have_not_seen(service: Service) -> None:
    campaign = await added(service)
    path = f"/api/campaigns/{campaign['id']}"
    token = {"authorization": service_token(service)}
    for method in ("PUT", "DELETE"):
        sent = campaign if method == "PUT" else None
        without = await service.http.request(method, path, headers=token, json=sent)
        stale = await service.http.request(
            method, path, headers=token | {"if-match": '"7"'}, json=sent
        )
        assert (without.status_code, stale.status_code) == (428, 412)
        assert stale.headers["etag"] == '"1"'
        assert "rule" not in without.text + stale.text


def service_token(service: Service) -> str:
    return f"Bearer {service.settings.admin_tokens[0].get_secret_value()}"


@pytest.mark.parametrize(
    ("changes", "member", "word"),
    [
        ({"name": " "}, "name", ""),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "body", "ends_at is not after"),
        ({"starts_at": "2026-01-01T00:00:00"}, "starts_at", ""),
        ({"doors": [{"kind": "rule", "id": "77"}]}, "id", "there is no rule 77"),
        ({"doors": [{"kind": "rule", "id": "9" * 30}]}, "id", "there is no rule"),
        ({"doors": [{"kind": "link", "id": "x"}]}, "id", "there is no link x"),
        ({"doors": [{"kind": "notice", "id": "0" * 32}]}, "id", "there is no notice"),
        ({"doors": [{"kind": "menu_button", "id": f"{APPID}/1"}]}, "id", "no menu_button"),
        ({"doors": [{"kind": "menu_button", "id": f"{APPID}/1/2"}]}, "id", "no menu_button"),
        ({"doors": [{"kind": "gate", "id": "1"}]}, "kind", ""),
        ({"doors": [{"kind": "rule", "id": "1"}] * 2}, "body", "names a door twice"),
        ({"doors": [{"kind": "rule", "id": str(n)} for n in range(501)]}, "doors", ""),
        ({"target": {"appid": CARD_APPID, "pagepath": "/pages"}}, "pagepath", ""),
        ({"cost": {"amount": "-1"}}, "amount", ""),
        ({"cost": {"amount": "1.001"}}, "amount", ""),
        ({"cost": {"amount": "1", "currency": "yuan"}}, "currency", ""),
        ({"warn_below": 100_001}, "warn_below", ""),
        ({"rules": []}, "rules", ""),
    ],
)
async def test_what_is_wrong_with_a_campaign_is_said(
    service: Service, changes: dict[str, object], member: str, word: str
) -> None:
    answer = await service.api("POST", "campaigns", json=body(service) | changes)

    assert answer.status_code == 422, answer.text
    (problem, *_) = answer.json()["detail"]
    assert member in problem["loc"]
    assert word in problem["msg"]


async def test_a_campaign_is_about_a_mini_program_that_is_configured(
    service: Service, database_url: str, tmp_path: Path, clock: WorldClock
) -> None:
    first = await added(service, target={"appid": CARD_APPID, "pagepath": ""})
    changed = settings_for(database_url, tmp_path, mini_program_appids=OTHER_MINI_PROGRAM)

    async with running_service(changed, clock) as restarted:
        wanted = body(restarted, target={"appid": CARD_APPID})
        refused = await restarted.api("POST", "campaigns", json=wanted)
        known = await added(restarted, target={"appid": OTHER_MINI_PROGRAM, "pagepath": ""})
        moved = await restarted.api("PUT", f"campaigns/{known['id']}", json=known | wanted)
        # What is stored stays, so that the campaign can be ended.
        stored = await restarted.api("PUT", f"campaigns/{first['id']}", json=first)
        page = await restarted.read("campaigns")

    for answer in (refused, moved):
        assert answer.status_code == 422, answer.text
        (problem,) = answer.json()["detail"]
        assert problem["loc"] == ["body", "target", "appid"]
        assert "not a mini-program that is configured here: correct it" in problem["msg"]
    assert stored.status_code == 200, stored.text
    assert [item["id"] for item in page["items"]] == [known["id"], first["id"]]
    assert page["items"][0]["target"] == known["target"]


async def test_a_door_leads_to_one_campaign_at_a_time(service: Service) -> None:
    door = rule_door(await service.add_rule(card()))
    wanted = body(service, door)
    answers = await asyncio.gather(
        *(service.api("POST", "campaigns", json=wanted) for _ in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert "leads to campaign" in refused.json()["detail"]
    first = next(answer.json() for answer in answers if answer.status_code == 201)

    later = {
        "starts_at": first["ends_at"],
        "ends_at": (service.clock.now() + timedelta(days=90)).isoformat(),
    }
    second = await added(service, door, **later)
    longer = second | {"starts_at": first["starts_at"]}
    assert (await service.api("PUT", f"campaigns/{second['id']}", json=longer)).status_code == 409
    await service.api("DELETE", f"campaigns/{first['id']}")
    assert (await service.api("PUT", f"campaigns/{second['id']}", json=longer)).status_code == 200


async def test_a_code_is_redeemed_once_however_often_the_shop_repeats_it(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    code = code_of(await write(service, wechat, jobs, connection))

    answers = await asyncio.gather(*(redeemed(service, campaign, code) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["door"]["kind"] == "rule"
    for wrong, key, status, word in (
        (code, "order-2", 409, "was redeemed at"),
        ("CODE-8", "order-2", 409, "nobody has got"),
        ("code-0", "order-2", 404, "no such code"),
    ):
        answer = await redeemed(service, campaign, wrong, key)
        assert answer.status_code == status
        assert word in answer.json()["detail"]
    figures = await service.read(f"campaigns/{campaign['id']}/figures")
    assert figures["total"] == {"handed_out": 1, "opened": 0, "redeemed": 1}
    noted = (await service.read("audit", action="codes.redeemed"))["items"]
    assert {one["subject_id"] for one in noted} == {campaign["id"]}


async def test_of_two_shops_one_redeems_a_code(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    code = code_of(await write(service, wechat, jobs, connection))

    answers = await asyncio.gather(
        *(redeemed(service, campaign, code, f"order-{number}") for number in range(5))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


async def test_figures_are_told_by_door_and_day_with_what_they_cost(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    qrcode = await add_qrcode(service)
    doors = [*campaign["doors"], {"kind": "qrcode", "id": qrcode["id"]}]
    changed = campaign | {"doors": doors, "cost": {"amount": "100", "currency": "CNY"}}
    await service.api("PUT", f"campaigns/{campaign['id']}", json=changed)
    first_day = await column(
        connection,
        "SELECT ($1::timestamptz AT TIME ZONE 'Asia/Shanghai')::date",
        service.clock.now(),
    )
    await connection.execute(
        "INSERT INTO qrcode_days (qrcode_id, day, new_follows, refollows) VALUES ($1, $2, 2, 1)",
        qrcode["id"],
        first_day[0],
    )
    code = code_of(await write(service, wechat, jobs, connection))
    service.clock.advance(timedelta(days=1))
    await write(service, wechat, jobs, connection, openid=OTHER_OPENID)
    await redeemed(service, campaign, code)

    found = await service.read(f"campaigns/{campaign['id']}/figures")

    door = campaign["doors"][0]
    assert found["total"] == {"handed_out": 2, "opened": 0, "redeemed": 1}
    assert found["days"] == [
        {
            "day": str(first_day[0]),
            **door,
            "handed_out": 1,
            "opened": 0,
            "redeemed": 0,
        },
        {
            "day": str(first_day[0] + timedelta(days=1)),
            **door,
            "handed_out": 1,
            "opened": 0,
            "redeemed": 1,
        },
    ]
    by_kind = {each["kind"]: each["handed_out"] for each in found["doors"]}
    assert by_kind == {"rule": 2, "qrcode": 0}
    assert (found["follows"], found["cost_per_follower"], found["cost_per_redemption"]) == (
        3,
        "33.33",
        "100.00",
    )
    earlier = await service.read(f"campaigns/{campaign['id']}/figures", until=str(first_day[0]))
    assert earlier["total"]["handed_out"] == 1


async def test_the_cost_is_of_the_whole_campaign_and_of_no_follow_outside_of_it(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    qrcode = await add_qrcode(service)
    first, *_ = await column(
        connection,
        "SELECT ($1::timestamptz AT TIME ZONE 'Asia/Shanghai')::date",
        service.clock.now(),
    )
    day = timedelta(days=1)
    changed = campaign | {
        "starts_at": f"{first - day}T12:00:00+08:00",
        "ends_at": f"{first + 2 * day}T00:00:00+08:00",
        "doors": [*campaign["doors"], {"kind": "qrcode", "id": qrcode["id"]}],
        "cost": {"amount": "100", "currency": "CNY"},
    }
    assert (
        await service.api("PUT", f"campaigns/{campaign['id']}", json=changed)
    ).status_code == 200
    # On the day before the campaign, on each of its days, and on the day after it.
    for number, follows in enumerate((16, 1, 1, 2, 32), start=-2):
        await connection.execute(
            "INSERT INTO qrcode_days (qrcode_id, day, new_follows, refollows) "
            "VALUES ($1, $2, $3, 0)",
            qrcode["id"],
            first + number * day,
            follows,
        )
    code = code_of(await write(service, wechat, jobs, connection))
    await redeemed(service, campaign, code)

    async def figures(since: date, until: date) -> tuple[object, ...]:
        found = await service.read(
            f"campaigns/{campaign['id']}/figures", **{"from": str(since), "until": str(until)}
        )
        return found["follows"], found["cost_per_follower"], found["cost_per_redemption"]

    assert await figures(first - 9 * day, first + 9 * day) == (4, "25.00", "100.00")
    assert await figures(first - 9 * day, first - day) == (1, "25.00", "100.00")
    assert await figures(first + 2 * day, first + 9 * day) == (0, "25.00", "100.00")


async def test_a_person_in_the_mini_program_gets_the_code_of_the_reply(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    code = code_of(await write(service, wechat, jobs, connection))
    path = f"campaigns/{campaign['id']}/codes/given"
    person = {"appid": APPID, "openid": OPENID}

    assert (await service.api("POST", path, json=person)).json() == {"code": code}
    stranger = await service.api("POST", path, json=person | {"openid": "nobody"})
    assert stranger.status_code == 409
    assert "PUT /api/identities" in stranger.json()["detail"]
    await service.push(message(service.clock, "hello", openid=OTHER_OPENID))
    others = person | {"openid": OTHER_OPENID}
    elsewhere = {"kind": "link", "id": "00000000-0000-0000-0000-000000000000"}
    refused = await service.api("POST", path, json=others | {"door": elsewhere})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "door", "id"]
    assert len(await given(connection)) == 1
    other = await service.api("POST", path, json=others | {"door": campaign["doors"][0]})
    assert other.json() == {"code": "CODE-1"}
    # A mini-program asks all the time: one entry an hour.
    noted = (await service.read("audit", action="codes.given"))["items"]
    assert [one["subject_id"] for one in noted] == [campaign["id"]]
    service.clock.advance(timedelta(days=30))
    assert (await service.api("POST", path, json=person)).status_code == 409


async def test_a_backend_gives_codes_to_people_of_its_accounts_and_a_shop_to_nobody(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    code = code_of(await write(service, wechat, jobs, connection))
    path = f"/api/campaigns/{campaign['id']}"

    made = {"own": [APPID], "other": [CARD_APPID], "shop": []}
    keys = {}
    async with service.app.state.database.sessions.begin() as session:
        for name, appids in made.items():
            _, keys[name] = await tokens.add(
                session,
                Actor(ActorKind.CLI, "shell"),
                name,
                [ApiScope.CODES_WRITE],
                appids,
                expires_at=None,
                now=service.clock.now(),
            )

    async def status(name: str, call: str, body: Json) -> int:
        headers = {"authorization": f"Bearer {keys[name]}"}
        return (await service.http.post(f"{path}/{call}", headers=headers, json=body)).status_code

    person = {"appid": APPID, "openid": OPENID}
    assert await status("own", "codes/given", person) == 200
    assert await status("other", "codes/given", person) == 403
    assert await status("shop", "codes/given", person) == 403
    assert await status("shop", "redemptions", {"code": code, "key": "order-1"}) == 200


async def test_codes_of_a_deleted_campaign_are_deleted_by_the_sweep(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    await write(service, wechat, jobs, connection)
    await service.api("DELETE", f"campaigns/{campaign['id']}")
    assert (await redeemed(service, campaign, "CODE-0")).status_code == 404

    await jobs.sweep()

    for table in ("campaigns", "campaign_doors", "campaign_codes", "code_imports"):
        assert await column(connection, f"SELECT count(*) FROM {table}") == [0]  # noqa: S608


async def test_long_after_its_end_a_campaign_knows_nobody_and_can_not_go_on(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    code = code_of(await write(service, wechat, jobs, connection))
    named = "SELECT openid FROM campaign_codes WHERE given_at IS NOT NULL"
    service.clock.advance(timedelta(days=10 + service.settings.retention_days, minutes=-1))
    await jobs.sweep()
    assert await column(connection, named) == [OPENID]
    service.clock.advance(timedelta(minutes=2))
    await jobs.sweep()

    assert await column(connection, named) == [None]
    longer = campaign | {"ends_at": (service.clock.now() + timedelta(days=9)).isoformat()}
    answer = await service.api("PUT", f"campaigns/{campaign['id']}", json=longer)
    assert answer.status_code == 409
    assert "add another campaign" in answer.json()["detail"]
    assert (await redeemed(service, campaign, code)).status_code == 200


@pytest.mark.parametrize(
    ("reply", "member", "word"),
    [
        (text_reply("your {code}"), "content", '"via": "customer_service"'),
        (card(otherwise="your {code}"), "otherwise", "is taken when a message is sent"),
        (card(title="{code}"), "title", "placeholders are filled only"),
        (card(pagepath="p?" + "x" * 980 + "{code}"), "pagepath", "longer than 1024 bytes"),
    ],
)
async def test_a_code_stands_where_it_can_be_sent(
    service: Service, reply: dict[str, object], member: str, word: str
) -> None:
    rule = {
        "name": "Shop",
        "trigger": {"on": "text", "match": "exact", "keyword": "shop"},
        "replies": [reply],
    }
    answer = await service.api("POST", "rules", json=rule)

    assert answer.status_code == 422, answer.text
    (problem, *_) = answer.json()["detail"]
    assert problem["loc"][-1] == member
    assert word in problem["msg"]


async def test_the_pool_says_how_many_codes_are_left(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD, codes=3)
    await write(service, wechat, jobs, connection)

    found = await service.read(f"campaigns/{campaign['id']}")
    assert found["codes_left"] == 2
    await imported(service, jobs, campaign, "MORE", "CODE-1")
    assert (await service.read(f"campaigns/{campaign['id']}"))["codes_left"] == 3


async def test_the_days_of_figures_have_a_bound(service: Service) -> None:
    campaign = await added(service)
    for query in ({"from": "2026-02-01", "until": "2026-01-01"}, {"from": "2020-01-01"}):
        answer = await service.api("GET", f"campaigns/{campaign['id']}/figures", params=query)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", "from"]


async def test_a_pool_that_is_nearly_empty_is_told_to_the_doctor_and_prometheus(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD, codes=2)
    await added(service, name="without codes")
    await write(service, wechat, jobs, connection)

    metric = f'oa_bridge_campaign_codes_left{{campaign="{campaign["id"]}"}} 1.0'
    assert metric in (await service.look("/metrics")).text
    findings = [
        each
        for each in (await service.read("doctor"))["findings"]
        if each["check"] == "campaign-codes"
    ]
    assert [each["state"] for each in findings] == ["look"]
    assert "the campaign Summer <sale>: 1." in findings[0]["what"]["en"]
