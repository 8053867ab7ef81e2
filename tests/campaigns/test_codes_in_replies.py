"""`{code}` in replies: each person gets exactly one code, whatever happens meanwhile."""

import asyncio
from datetime import datetime, timedelta
from unittest.mock import ANY
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import refs
from app.codes import give as give_module
from app.codes.give import give
from app.codes.holder import Door, Holder
from app.db.engine import Database, SessionFactory
from app.tombstones.pseudonyms import Pseudonyms
from app.worker import Jobs
from tests.campaigns.makers import (
    CODED_CARD,
    CODED_TEXT,
    added,
    code_of,
    given,
    imported,
    rule_door,
    running,
    write,
)
from tests.lock_waits import backend_waits
from tests.qrcodes.makers import follow, made
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    SEND,
    THIRD_OPENID,
    Json,
    Service,
    WeChat,
    card,
    column,
    message,
    text_reply,
    wechat_names,
)
from tests.waiting import eventually


async def test_a_person_gets_one_code_however_often_they_write(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await running(service, jobs, CODED_CARD, CODED_TEXT)

    first = await write(service, wechat, jobs, connection)
    assert first["content"]["content"] == "Your code: CODE-0"
    assert [code_of(line) for line in wechat.sent() if "pagepath" in line["content"]] == ["CODE-0"]
    await write(service, wechat, jobs, connection)
    other = await write(service, wechat, jobs, connection, openid=OTHER_OPENID)
    assert other["content"]["content"] == "Your code: CODE-1"
    assert [row["code"] for row in await given(connection)] == ["CODE-0", "CODE-1"]
    stored = await column(
        connection, "SELECT content->>'pagepath' FROM replies WHERE msgtype = 'miniprogrampage'"
    )
    assert sorted(stored) == [
        "pages/sale?code=CODE-0",
        "pages/sale?code=CODE-0",
        "pages/sale?code=CODE-1",
    ]


async def test_what_a_follower_writes_is_never_taken_for_the_mark_of_a_code(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    trigger = {"on": "text", "match": "regex", "keyword": "^shop (.*)$"}
    rule_id = await service.add_rule(
        text_reply("{1} {code} {{code}}", via="customer_service"), trigger=trigger
    )
    await imported(service, jobs, await added(service, rule_door(rule_id)), "ABCD")
    wechat.open_window()
    await service.push(message(service.clock, "shop {code}{{code}}" + "長" * 800))
    (callback_id,) = await column(connection, "SELECT id FROM callbacks")
    await jobs.deliver({"callback_id": str(callback_id)})

    text = wechat.sent()[-1]["content"]["content"]
    assert text.startswith("{code}{{code}}長")
    assert text.endswith("長 ABCD {code}")
    assert len(text.encode()) <= 2047


async def test_a_pattern_that_captures_code_is_filled_as_before(
    service: Service,
) -> None:
    trigger = {"on": "text", "match": "regex", "keyword": "^(?P<code>shop)$"}
    await service.add_rule(text_reply("you said {code}"), trigger=trigger)

    answer = await service.answer(message(service.clock))

    assert answer.reply["Content"] == "you said shop"


@pytest.mark.parametrize("has_campaign", [True, False])
async def test_without_a_code_otherwise_is_said_and_its_placeholders_are_filled(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    has_campaign: bool,
) -> None:
    if has_campaign:
        await running(service, jobs, CODED_CARD, codes=1)
        await write(service, wechat, jobs, connection, openid=OTHER_OPENID)
    else:
        await service.add_rule(CODED_CARD)

    sent = await write(service, wechat, jobs, connection)

    (reply,) = (await service.read("replies", openid=OPENID))["items"]
    assert sent["content"]["content"] == f"no code left, {refs.of_reply(UUID(reply['id']))}"
    assert (reply["status"], reply["msgtype"]) == ("sent", "text")
    if has_campaign:
        again = await write(service, wechat, jobs, connection, openid=OTHER_OPENID)
        assert code_of(again) == "CODE-0"


async def test_a_text_without_a_code_says_its_own_otherwise(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.add_rule(CODED_TEXT | {"otherwise": "sold out"})

    assert (await write(service, wechat, jobs, connection))["content"]["content"] == "sold out"


async def test_a_reply_without_otherwise_fails_and_is_sent_by_a_retry_once_there_are_codes(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_TEXT, codes=0)
    wechat.open_window()
    await service.push(message(service.clock))
    (callback_id,) = await column(connection, "SELECT id FROM callbacks")
    await jobs.deliver({"callback_id": str(callback_id)})

    (reply,) = (await service.read("replies"))["items"]
    assert reply["status"] == "failed"
    assert "no code left" in reply["errmsg"]
    assert wechat.calls(SEND) == []
    (window,) = await column(connection, "SELECT sends_left FROM send_windows")
    await imported(service, jobs, campaign, "ABCD")
    answer = await service.api("POST", f"replies/{reply['id']}/retry")
    assert answer.status_code < 300, answer.text
    await jobs.deliver({"callback_id": str(callback_id)})
    assert wechat.sent()[-1]["content"]["content"] == "Your code: ABCD"
    assert await column(connection, "SELECT sends_left FROM send_windows") == [window - 1]


async def test_outside_of_its_span_a_campaign_gives_no_code(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    now = service.clock.now()
    for span in ((-2, 0), (1, 2)):
        starts, ends = ((now + timedelta(hours=hours)).isoformat() for hours in span)
        changed = campaign | {"starts_at": starts, "ends_at": ends}
        answer = await service.api("PUT", f"campaigns/{campaign['id']}", json=changed)
        assert answer.status_code == 200, answer.text
        sent = await write(service, wechat, jobs, connection)
        assert sent["content"]["content"].startswith("no code left")


async def test_a_refused_send_keeps_the_code_for_its_person(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await running(service, jobs, CODED_CARD)
    wechat.strike(SEND, errcode=45047, count=1)
    wechat.open_window()
    await service.push(message(service.clock))
    (callback_id,) = await column(connection, "SELECT id FROM callbacks")
    await jobs.deliver({"callback_id": str(callback_id)})
    assert wechat.sent() == []

    sent = await write(service, wechat, jobs, connection)

    assert code_of(sent) == "CODE-0"
    assert [row["code"] for row in await given(connection)] == ["CODE-0"]


async def test_the_qr_code_that_was_scanned_is_the_door(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    code = await made(service, jobs)
    rule_id = await service.add_rule(CODED_CARD, trigger={"on": "subscribe"})
    door = {"kind": "qrcode", "id": code["id"]}
    await imported(service, jobs, await added(service, rule_door(rule_id), door), "ABCD", "EFGH")
    wechat.open_window()
    for openid, scene in ((OPENID, "store_0042"), (OTHER_OPENID, "unknown")):
        wechat.open_window(openid)
        await service.push(follow(service.clock, scene, openid))
    for callback_id in await column(connection, "SELECT id FROM callbacks ORDER BY id"):
        await jobs.deliver({"callback_id": str(callback_id)})

    assert [(row["door_kind"], row["door_id"]) for row in await given(connection)] == [
        ("qrcode", code["id"]),
        ("rule", str(rule_id)),
    ]


async def test_two_people_of_one_unionid_have_one_code(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await running(service, jobs, CODED_CARD)
    assert code_of(await write(service, wechat, jobs, connection)) == "CODE-0"
    await service.push(message(service.clock, "hello", openid=OTHER_OPENID))
    for openid in (OPENID, OTHER_OPENID):
        await wechat_names(service, openid, "u-1")

    sent = await write(service, wechat, jobs, connection, openid=OTHER_OPENID)

    assert code_of(sent) == "CODE-0"
    assert await given(connection) == [
        {
            "code": "CODE-0",
            "appid": APPID,
            "openid": OPENID,
            "unionid": "u-1",
            "door_kind": "rule",
            "door_id": ANY,
            "void_at": None,
        }
    ]


@pytest.mark.parametrize("is_redeemed", [False, True])
async def test_a_unionid_that_joins_two_people_leaves_them_one_code(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    is_redeemed: bool,
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    for openid in (OPENID, OTHER_OPENID, THIRD_OPENID):
        await write(service, wechat, jobs, connection, openid=openid)
        service.clock.advance(timedelta(seconds=1))
    later = {"code": "CODE-1", "key": "order-1"}
    path = f"campaigns/{campaign['id']}/redemptions"
    if is_redeemed:
        assert (await service.api("POST", path, json=later)).status_code == 200

    for openid in (OPENID, OTHER_OPENID):
        await wechat_names(service, openid, "u-1")

    kept, void = ("CODE-1", "CODE-0") if is_redeemed else ("CODE-0", "CODE-1")
    stored = {row["code"]: row for row in await given(connection)}
    assert stored[kept]["unionid"] == "u-1"
    assert stored[void]["void_at"] is not None
    assert stored[void]["openid"] is None
    assert stored["CODE-2"]["void_at"] is None
    for openid in (OPENID, OTHER_OPENID):
        assert code_of(await write(service, wechat, jobs, connection, openid=openid)) == kept
    answer = await service.api("POST", path, json={"code": void, "key": "order-2"})
    assert answer.status_code == 409
    assert "void" in answer.json()["detail"]
    figures = await service.read(f"campaigns/{campaign['id']}/figures")
    assert figures["total"]["handed_out"] == 2


async def test_a_unionid_that_becomes_known_while_codes_are_given_leaves_one(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """Whatever comes first: all of it at once, many times over."""
    campaign = await running(service, jobs, card(), codes=5)
    path = f"campaigns/{campaign['id']}/codes/given"
    for person in range(6):
        pair = [f"o-{person}-{account}" for account in range(2)]
        for openid in pair:
            await service.push(message(service.clock, "hello", openid=openid))
        await asyncio.gather(
            *(
                service.api("POST", path, json={"appid": APPID, "openid": openid})
                for openid in (*pair, *pair)
            ),
            *(wechat_names(service, openid, f"u-{person}") for openid in pair),
        )
        answers = [
            await service.api("POST", path, json={"appid": APPID, "openid": openid})
            for openid in pair
        ]
        assert len({answer.text for answer in answers}) == 1
        valid = await column(
            connection,
            "SELECT count(*) FROM campaign_codes WHERE unionid = $1 AND void_at IS NULL",
            f"u-{person}",
        )
        if valid == [0]:  # the pool is empty by now
            assert {answer.status_code for answer in answers} == {409}
            break
        assert valid == [1]


class LastCode:
    """A pool with one code, and a person with two OpenIDs who asks for it."""

    def __init__(self, sessions: SessionFactory, now: datetime) -> None:
        self.sessions = sessions
        self.now = now
        self.campaign_id = uuid4()
        self.has_asked = asyncio.Event()
        self.may_end = asyncio.Event()

    async def fill(self, connection: asyncpg.Connection) -> None:
        """Store both."""
        await connection.execute("INSERT INTO campaign_codes VALUES ($1, 'LAST')", self.campaign_id)
        await connection.execute(
            "INSERT INTO openids "
            "(appid, openid, unionid, first_seen_at, last_seen_at, resolve_state) "
            "SELECT $1, openid, 'u-1', now(), now(), 'unavailable' "
            "FROM unnest($2::text[]) AS openid",
            APPID,
            [OPENID, OTHER_OPENID],
        )

    async def ask(self, openid: str, *, keep: bool = True) -> str | None:
        """Ask in a transaction that ends once it may. keep: commit it."""
        names = Pseudonyms(b"a secret of the tests")
        async with self.sessions() as session:
            holder = Holder(APPID, openid)
            code = await give(session, self.campaign_id, holder, None, names=names, now=self.now)
            self.has_asked.set()
            await self.may_end.wait()
            await (session.commit() if keep else session.rollback())
            return code


@pytest.mark.parametrize("is_taken", [True, False])
async def test_while_somebody_takes_the_last_code_the_pool_is_not_empty_yet(
    service: Service, database: Database, connection: asyncpg.Connection, is_taken: bool
) -> None:
    """By the other OpenID of one person, who has a code then; or by somebody who fails."""
    last = LastCode(database.sessions, service.clock.now())
    await last.fill(connection)
    first = asyncio.create_task(last.ask(OPENID, keep=is_taken))
    await last.has_asked.wait()
    second = asyncio.create_task(last.ask(OTHER_OPENID))
    await eventually(backend_waits(connection, "%campaign_codes%"))
    last.may_end.set()

    assert [await first, await second] == ["LAST", "LAST"]


async def test_a_last_code_that_becomes_the_persons_own_meanwhile_is_found(
    service: Service,
    database: Database,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last, take = LastCode(database.sessions, service.clock.now()), give_module._take
    has_looked, may_take = asyncio.Event(), asyncio.Event()
    await last.fill(connection)
    last.may_end.set()

    async def take_late(
        session: AsyncSession, campaign_id: UUID, person: Json, door: Door | None, now: datetime
    ) -> str | None:
        monkeypatch.setattr(give_module, "_take", take)
        has_looked.set()
        await may_take.wait()
        return await take(session, campaign_id, person, door, now)

    monkeypatch.setattr(give_module, "_take", take_late)
    first = asyncio.create_task(last.ask(OPENID))
    await has_looked.wait()

    assert await last.ask(OTHER_OPENID) == "LAST"
    may_take.set()
    assert await first == "LAST"


async def test_hundreds_of_people_at_once_get_one_code_each(
    service: Service, database: Database, connection: asyncpg.Connection
) -> None:
    """By two pools of connections, as of two workers; `benchmarks.codes` does it in processes."""
    campaign_id, people = uuid4(), 150
    await connection.execute(
        "INSERT INTO campaign_codes (campaign_id, code) "
        "SELECT $1, 'CODE-' || number FROM generate_series(1, $2::int) AS number",
        campaign_id,
        people,
    )
    # Each person has two OpenIDs.
    await connection.execute(
        "INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at, resolve_state) "
        "SELECT $1, 'o-' || number, 'u-' || number % $2, now(), now(), 'unavailable' "
        "FROM generate_series(0, 2 * $2::int - 1) AS number",
        APPID,
        people,
    )
    names = Pseudonyms(b"a secret of the tests")

    async def ask(sessions: SessionFactory, number: int) -> tuple[int, str | None]:
        async with sessions.begin() as session:
            holder = Holder(APPID, f"o-{number}")
            now = service.clock.now()
            code = await give(session, campaign_id, holder, None, names=names, now=now)
            return number % people, code

    pools = (database.sessions, service.app.state.database.sessions)
    answers = await asyncio.gather(
        *(ask(sessions, number) for number in range(2 * people) for sessions in pools)
    )

    codes = dict(answers)
    assert set(answers) == set(codes.items())
    assert len(set(codes.values())) == people
    assert None not in codes.values()
    assert len(await given(connection)) == people
