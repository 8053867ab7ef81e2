"""A card that is known to be unsendable is replaced by a text in the response."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest

from app.replies.errors import TryLater
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.worker import Jobs
from tests.service import (
    APPID,
    CARD_APPID,
    OPENID,
    OTHER_OPENID,
    SEND,
    STABLE_TOKEN,
    Json,
    Service,
    WeChat,
    card,
    column,
    event,
    message,
    rows,
    text_reply,
)

LINK = (
    f'<a data-miniprogram-appid="{CARD_APPID}" data-miniprogram-path="pages/index">{{account}}</a>'
)
SAID = LINK.format(account=APPID)
FATES = "SELECT status, errmsg FROM replies WHERE openid = $1 ORDER BY id"

Refuse = Callable[[int], Awaitable[None]]


@pytest.fixture
def refuse(service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection) -> Refuse:
    """Let WeChat refuse a card of another follower, and this process learn it."""

    async def refused(errcode: int) -> None:
        wechat.open_window(OTHER_OPENID)
        await service.push(message(service.clock, openid=OTHER_OPENID))
        (callback,) = await column(
            connection, "SELECT callback_id FROM replies WHERE openid = $1", OTHER_OPENID
        )
        wechat.strike(SEND, errcode=errcode)
        with suppress(TryLater):
            await jobs.deliver({"callback_id": str(callback)})
        await jobs.tokens.problems.store()
        await service.app.state.sending.problems.read_pauses()

    return refused


async def said(service: Service, push: Json | None = None) -> object:
    answer = await service.answer(push or message(service.clock))
    return answer.reply["Content"] if answer.reply else None


@pytest.mark.parametrize(
    "errcode",
    [
        pytest.param(48001, id="no right"),
        pytest.param(40166, id="mini-program not linked"),
        pytest.param(45009, id="quota used up"),
    ],
)
async def test_what_wechat_refuses_is_replaced_in_the_response(
    service: Service, refuse: Refuse, connection: asyncpg.Connection, errcode: int
) -> None:
    await service.add_rule(card(otherwise=LINK))
    await refuse(errcode)

    assert await said(service) == SAID

    (fate,) = await rows(connection, FATES, OPENID)
    assert fate["status"] == "skipped"
    assert str(errcode) in fate["errmsg"]


async def test_an_account_without_an_access_token_says_it_and_one_whose_token_lasts_does_not(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card(otherwise=LINK))
    await jobs.tokens.get(AppId(APPID))
    wechat.strike(STABLE_TOKEN, errcode=40164)
    with suppress(ApiError):
        await jobs.tokens.check(AppId(APPID))
    await jobs.tokens.problems.store()
    problems = service.app.state.sending.problems
    await problems.read_pauses()
    lasts = await said(service)

    service.clock.advance(timedelta(hours=2))
    with suppress(ApiError):
        await jobs.tokens.get(AppId(APPID))
    await jobs.tokens.problems.store()
    await problems.read_pauses()

    assert (lasts, await said(service)) == (None, SAID)
    fates = await rows(connection, FATES, OPENID)
    assert [fate["status"] for fate in fates] == ["pending", "skipped"]
    assert "40164" in fates[1]["errmsg"]


TAPS: dict[str, Json] = {
    "VIEW": {"on": "view"},
    "view_miniprogram": {"on": "view_miniprogram"},
    "pic_weixin": {"on": "event", "name": "pic_weixin"},
}


@pytest.mark.parametrize("name", TAPS)
async def test_a_tap_that_opens_no_window_is_answered_with_the_text_if_none_is_open(
    service: Service, connection: asyncpg.Connection, name: str
) -> None:
    await service.add_rule(card(otherwise=LINK), trigger=TAPS[name])

    assert await said(service, event(service.clock, name, EventKey="https://e.com")) == SAID

    fates = await rows(connection, FATES, OPENID)
    assert [(one["status"], one["errmsg"]) for one in fates] == [
        ("skipped", "no send window is open")
    ]


@pytest.mark.parametrize(
    ("before", "later", "found"),
    [
        pytest.param("message", timedelta(hours=47), None, id="wrote"),
        pytest.param("message", timedelta(hours=48), SAID, id="wrote long ago"),
        pytest.param("CLICK", timedelta(seconds=50), None, id="tapped"),
        pytest.param("CLICK", timedelta(seconds=60), SAID, id="tapped long ago"),
    ],
)
async def test_a_tap_is_answered_with_the_card_while_an_earlier_action_allows_it(
    service: Service,
    connection: asyncpg.Connection,
    before: str,
    later: timedelta,
    found: str | None,
) -> None:
    await service.add_rule(card(otherwise=LINK), trigger={"on": "view"})
    earlier = message(service.clock) if before == "message" else event(service.clock, before)
    await service.push(earlier)
    service.clock.advance(later)

    assert await said(service, event(service.clock, "VIEW", EventKey="https://e.com")) == found

    (fate,) = await rows(connection, FATES, OPENID)
    assert fate["status"] == ("pending" if found is None else "skipped")


async def test_a_tap_is_answered_with_the_text_once_the_window_is_used_up(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("queued", via="customer_service"))
    await service.push(message(service.clock))
    await service.add_rule(card(otherwise=LINK), name="Page", trigger={"on": "view"})
    await connection.execute("UPDATE send_windows SET sends_left = 1")
    one_left = await said(service, event(service.clock, "VIEW", EventKey="https://e.com"))
    await connection.execute("UPDATE send_windows SET sends_left = 0")
    service.clock.advance(timedelta(seconds=1))

    used_up = await said(service, event(service.clock, "VIEW", EventKey="https://e.com"))

    assert (one_left, used_up) == (None, SAID)


async def test_a_tap_with_an_open_window_that_can_not_be_read_queues_the_card(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card(otherwise=LINK), trigger={"on": "view"})
    await connection.execute("ALTER TABLE send_windows RENAME TO away")
    windows = service.app.state.sending.windows
    unknown = await windows.none_is_open(APPID, OPENID, service.clock.now())
    await connection.execute("ALTER TABLE away RENAME TO send_windows")

    assert unknown is False
    assert await windows.none_is_open(APPID, OPENID, service.clock.now())


async def test_the_place_of_a_follower_is_not_answered_and_a_card_without_the_text_waits(
    service: Service, connection: asyncpg.Connection
) -> None:
    place = {"latitude": 23.1, "longitude": 113.3, "radius_metres": 100}
    await service.add_rule(card(otherwise=LINK), trigger={"on": "location", **place})
    await service.add_rule(card(), name="Page", trigger={"on": "view"})

    here = event(service.clock, "LOCATION", Latitude="23.1", Longitude="113.3", Precision="1")
    assert await said(service, here) is None
    assert await said(service, event(service.clock, "VIEW", EventKey="https://e.com")) is None
    assert [one["status"] for one in await rows(connection, FATES, OPENID)] == ["pending"] * 2


@pytest.mark.parametrize(
    ("failures", "found"),
    [
        pytest.param(4, None, id="a few calls without an answer"),
        pytest.param(5, None, id="an outage"),
        pytest.param(10, SAID, id="an outage that lasts"),
    ],
)
async def test_only_an_outage_that_lasts_is_reason_for_the_text(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    failures: int,
    found: str | None,
) -> None:
    await service.add_rule(card(otherwise=LINK))
    wechat.open_window(OTHER_OPENID)
    await service.push(message(service.clock, openid=OTHER_OPENID))
    (callback,) = await column(
        connection, "SELECT callback_id FROM replies WHERE openid = $1", OTHER_OPENID
    )
    wechat.strike(SEND, status=502)
    while len(wechat.calls(SEND)) < failures:
        with suppress(TryLater):
            await jobs.deliver({"callback_id": str(callback)})
        await jobs.tokens.problems.store()
        if len(wechat.calls(SEND)) >= 5:
            service.clock.advance(timedelta(seconds=1))
    await service.app.state.sending.problems.read_pauses()

    assert await said(service) == found

    (fate,) = await rows(connection, FATES, OPENID)
    assert fate["status"] == ("pending" if found is None else "skipped")
    assert found is None or fate["errmsg"].startswith("WeChat answers no call now: HTTP 502")


async def test_a_push_after_the_end_of_its_window_is_answered_with_the_text(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card(otherwise=LINK), trigger={"on": "subscribe"})
    late = service.clock.seconds - 120

    assert await said(service, event(service.clock, "subscribe", CreateTime=late)) == SAID
    assert [fate["status"] for fate in await rows(connection, FATES, OPENID)] == ["skipped"]


@pytest.mark.parametrize(
    "errcode",
    [pytest.param(None, id="no refusal"), pytest.param(45011, id="too many this minute")],
)
async def test_a_card_that_can_be_sent_is_queued_without_the_text(
    service: Service, refuse: Refuse, connection: asyncpg.Connection, errcode: int | None
) -> None:
    await service.add_rule(card(otherwise=LINK))
    if errcode is not None:
        await refuse(errcode)

    assert await said(service) is None

    found = await rows(connection, "SELECT status, content FROM replies WHERE openid = $1", OPENID)
    assert [row["status"] for row in found] == ["pending"]
    assert "otherwise" not in found[0]["content"]


async def test_a_card_without_the_text_and_one_of_another_mini_program_are_queued(
    service: Service, refuse: Refuse, connection: asyncpg.Connection
) -> None:
    other = card(otherwise=LINK, appid="wx00000000000000ee")
    await service.add_rule(card())
    await service.add_rule(other, name="Other", trigger={"on": "subscribe"})
    await refuse(40166)

    assert await said(service) is None
    assert await said(service, event(service.clock, "subscribe")) is None
    assert {fate["status"] for fate in await rows(connection, FATES, OPENID)} == {"pending"}


async def test_the_text_takes_the_place_of_the_passive_reply_of_the_rule(
    service: Service, refuse: Refuse, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("on its way"), card(otherwise=LINK))
    await refuse(48001)

    assert await said(service) == SAID

    skipped = await rows(connection, FATES, OPENID)
    assert [fate["status"] for fate in skipped] == ["skipped", "skipped"]
    assert not await column(
        connection,
        "SELECT 1 FROM pgqueuer q JOIN replies r ON q.dedupe_key = 'replies.deliver:' "
        "|| r.callback_id WHERE r.openid = $1",
        OPENID,
    )


async def test_once_wechat_takes_cards_again_they_are_queued_again(
    service: Service, refuse: Refuse, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card(otherwise=LINK))
    await refuse(48001)
    await connection.execute("DELETE FROM api_problems")
    await service.app.state.sending.problems.read_pauses()

    assert await said(service) is None


async def test_a_repeated_push_gets_the_same_answer_after_the_refusal_is_over(
    service: Service, refuse: Refuse, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card(otherwise=LINK))
    await refuse(48001)
    push = message(service.clock)
    assert await said(service, push) == SAID
    service.clock.advance(timedelta(minutes=2))

    assert await said(service, push) == SAID
    assert len(await rows(connection, FATES, OPENID)) == 1


@pytest.mark.parametrize(
    ("otherwise", "words"),
    [
        ("{unknown}", "which nothing fills"),
        ("{", "single {"),
        ("x" * 2048, "shorten it"),
        (" ", "is blank"),
    ],
)
async def test_a_wrong_text_is_refused_with_its_place(
    service: Service, otherwise: str, words: str
) -> None:
    rule = {"name": "a", "trigger": {"on": "subscribe"}, "replies": [card(otherwise=otherwise)]}

    answer = await service.api("POST", "rules", json=rule)

    (problem,) = answer.json()["detail"]
    assert problem["loc"][-1] == "otherwise"
    assert words in problem["msg"]


async def test_a_rule_is_read_and_explained_with_its_text(service: Service) -> None:
    rule_id = await service.add_rule(card(otherwise=LINK))

    rule = await service.read(f"rules/{rule_id}")
    answer = await service.api("POST", "rules/explain", json={"text": "shop"})

    assert rule["replies"][0]["otherwise"] == LINK
    (reply,) = answer.json()["winners"][0]["replies"]
    assert reply["reply"]["otherwise"] == LINK
    assert "otherwise" not in reply["body"]["miniprogrampage"]


def queued_text(**more: str) -> Json:
    return {**text_reply("later", via="customer_service"), **more}


async def test_every_kind_of_queued_reply_may_name_what_is_said_instead(
    service: Service, refuse: Refuse, connection: asyncpg.Connection
) -> None:
    await service.add_rule(queued_text(otherwise=LINK))
    await refuse(48001)

    assert await said(service) == SAID
    assert [fate["status"] for fate in await rows(connection, FATES, OPENID)] == ["skipped"]


OTHER = {"on": "text", "match": "exact", "keyword": "another"}


@pytest.mark.parametrize("queued", [card, queued_text])
async def test_another_rules_passive_reply_is_given_instead(
    service: Service,
    refuse: Refuse,
    connection: asyncpg.Connection,
    queued: Callable[..., Json],
) -> None:
    other = await service.add_rule(text_reply("in its place"), name="Other", trigger=OTHER)
    own = await service.add_rule(queued(otherwise_rule="Other"))
    await refuse(48001)

    assert await said(service) == "in its place"

    passive = "SELECT rule_id, passive_rule_id FROM callbacks WHERE openid = $1"
    (row,) = await rows(connection, passive, OPENID)
    assert row["rule_id"] == own != other
    assert [fate["status"] for fate in await rows(connection, FATES, OPENID)] == ["skipped"]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        pytest.param("Nobody", {}, id="no such rule"),
        pytest.param("Other", {"enabled": False}, id="off"),
        pytest.param("Queued", {}, id="without a passive reply"),
    ],
)
async def test_without_such_an_answer_the_reply_waits_as_before(
    service: Service, refuse: Refuse, connection: asyncpg.Connection, name: str, more: Json
) -> None:
    await service.add_rule(text_reply("other"), name="Other", trigger=OTHER, **more)
    await service.add_rule(card(), name="Queued", trigger={"on": "subscribe"})
    await service.add_rule(card(otherwise_rule=name))
    await refuse(48001)

    assert await said(service) is None
    assert [fate["status"] for fate in await rows(connection, FATES, OPENID)] == ["pending"]


async def test_the_answer_of_a_rule_that_was_changed_is_the_new_one(
    service: Service, refuse: Refuse
) -> None:
    await service.add_rule(card(otherwise_rule="Other"))
    await refuse(48001)
    before = await said(service)
    await service.add_rule(text_reply("new"), name="Other", trigger=OTHER)

    assert (before, await said(service)) == (None, "new")


async def test_what_another_rule_says_has_the_values_of_this_push(
    service: Service, refuse: Refuse
) -> None:
    await service.add_rule(text_reply("{account} {rule}"), name="Other", trigger=OTHER)
    own = await service.add_rule(card(otherwise_rule="Other"))
    await refuse(48001)

    assert await said(service) == f"{APPID} {own}"


@pytest.mark.parametrize(
    ("reply", "member", "words"),
    [
        ({**text_reply("x"), "otherwise": "y"}, "otherwise", "via customer_service"),
        ({**text_reply("x"), "otherwise_rule": "y"}, "otherwise_rule", "via customer_service"),
        (card(otherwise="x", otherwise_rule="y"), "otherwise_rule", "remove one of them"),
        (card(otherwise_rule="a"), "otherwise_rule", "is this rule itself"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_place(
    service: Service, reply: Json, member: str, words: str
) -> None:
    rule = {"name": "a", "trigger": {"on": "subscribe"}, "replies": [reply]}

    answer = await service.api("POST", "rules", json=rule)

    (problem,) = answer.json()["detail"]
    assert problem["loc"][-1] == member
    assert words in problem["msg"]
