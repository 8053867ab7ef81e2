"""Deliveries, their repetition, and what comes back; wechatpy seals the replies."""

import asyncio

import httpx
import pytest
from wechatpy.crypto import WeChatCrypto

from simulator.demo import ACCOUNT
from simulator.effects import UNAVAILABLE
from tests.simulator.conftest import OPENID, Answerer, Service, Simulator, success

CRYPTO = WeChatCrypto(ACCOUNT.token, ACCOUNT.encoding_aes_key, ACCOUNT.appid)
OTHER = WeChatCrypto(ACCOUNT.token, ACCOUNT.encoding_aes_key, "wxffffffffffffffff")
REPLY = (
    f"<xml><ToUserName><![CDATA[{OPENID}]]></ToUserName>"
    f"<FromUserName><![CDATA[{ACCOUNT.original_id}]]></FromUserName>"
    "<CreateTime>1795500703</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[ 欢迎\n]]></Content></xml>"
)


async def never(_request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def broken(_request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("")


async def busy(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


def sealed(reply: str = REPLY, crypto: WeChatCrypto = CRYPTO, nonce: str = "") -> Answerer:
    async def answer(request: httpx.Request) -> httpx.Response:
        text = crypto.encrypt_message(reply, nonce or request.url.params["nonce"])
        return httpx.Response(200, text=text)

    return answer


def open_reply(reply: str = REPLY) -> Answerer:
    async def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=reply)

    return answer


async def test_a_push_without_an_answer_is_delivered_three_times_with_the_same_stamp(
    simulator: Simulator, service: Service
) -> None:
    service.answers = [never, broken, never]

    outcome = await simulator.push(text="hi")

    assert [one["outcome"] for one in outcome["deliveries"]] == [
        "timeout",
        "connection_failed",
        "timeout",
    ]
    assert len({request.url for request in service.received}) == 1
    assert (await simulator.inbox())[-1]["content"] == {"content": UNAVAILABLE}


async def test_a_repeated_delivery_can_carry_a_new_nonce_and_number_four(
    simulator: Simulator, service: Service
) -> None:
    service.answers = [broken] * 4
    policy = {"deliveries": 4, "renew_nonce": True, "pause_seconds": 0}

    await simulator.push(text="hi", delivery=policy)

    assert len({request.url.params["nonce"] for request in service.received}) == 4


async def test_an_answer_ends_the_deliveries(simulator: Simulator, service: Service) -> None:
    service.answers = [broken, success]

    outcome = await simulator.push(text="hi")

    assert len(outcome["deliveries"]) == 2
    assert outcome["answer"]["verdict"] == "success"
    assert [line["via"] for line in await simulator.inbox()] == ["follower"]


async def test_a_bad_status_is_repeated_only_where_that_is_switched_on(
    simulator: Simulator, service: Service
) -> None:
    service.answers = [busy, busy, success]

    once = await simulator.push(text="hi")
    again = await simulator.push(text="hi", delivery={"retry_on_status": True, "pause_seconds": 0})

    assert [len(outcome["deliveries"]) for outcome in (once, again)] == [1, 2]
    assert once["answer"]["verdict"] == "malformed"


async def test_each_delivery_stands_in_the_ledger(simulator: Simulator, service: Service) -> None:
    service.answers = [broken, success]

    outcome = await simulator.push(text="hi")

    lines = await simulator.list("/_sim/ledger", kind="delivery", openid=OPENID)
    assert [(line["number"], line["status"], line["push_id"]) for line in lines] == [
        (1, None, outcome["push_id"]),
        (2, 200, outcome["push_id"]),
    ]


async def test_a_sealed_reply_is_shown_as_written(simulator: Simulator, service: Service) -> None:
    service.answers = [sealed()]

    outcome = await simulator.push(text="hi")

    assert outcome["answer"]["encrypted"]
    shown = (await simulator.inbox())[-1]
    assert (shown["via"], shown["content"]) == ("passive", {"content": " 欢迎\n"})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (open_reply(), "not encrypted"),
        (sealed(crypto=OTHER), "appid_mismatch"),
        (sealed(nonce="1"), "Nonce is not the request's"),
        (sealed(REPLY.replace("text", "miniprogrampage")), "MsgType"),
        (sealed(REPLY.replace(OPENID, "oSOMEONE")), "ToUserName"),
        (sealed(REPLY.replace("Content", "Text")), "Content"),
        (open_reply("<xml>"), "not XML"),
        (open_reply('{"ok": true}'), "not XML"),
    ],
)
async def test_a_malformed_reply_shows_that_the_account_is_out_of_order(
    simulator: Simulator, service: Service, answer: Answerer, reason: str
) -> None:
    service.answers = [answer]

    outcome = await simulator.push(text="hi")

    assert outcome["answer"]["reason"] == reason
    assert (await simulator.inbox())[-1]["via"] == "system"


async def test_compatible_mode_takes_both_kinds_of_reply_and_plain_mode_only_one(
    simulator: Simulator, service: Service
) -> None:
    service.answers = [sealed(), open_reply(), sealed(), open_reply()]

    verdicts = [
        (await simulator.push(text="hi", mode=mode))["answer"]["verdict"]
        for mode in ("compatible", "compatible", "plain", "plain")
    ]

    assert verdicts == ["passive", "passive", "malformed", "passive"]


async def test_several_articles_are_for_events_only(simulator: Simulator, service: Service) -> None:
    items = "<item><Title>a</Title></item>" * 2
    news = REPLY.replace("[text]", "[news]").replace(
        "<Content>",
        f"<ArticleCount>2</ArticleCount><Articles>{items}</Articles><Content>",
    )
    service.answers = [sealed(news), sealed(news)]

    verdicts = [
        (await simulator.push(**push))["answer"]["verdict"]
        for push in ({"event": "subscribe"}, {"text": "hi"})
    ]

    assert verdicts == ["passive", "malformed"]


async def test_nobody_sees_an_answer_to_an_unfollow(simulator: Simulator, service: Service) -> None:
    service.answers = [sealed(), busy]

    for _ in range(2):
        await simulator.push(event="unsubscribe")

    assert [line["via"] for line in await simulator.inbox()] == ["follower", "follower"]


async def test_a_push_can_be_left_to_itself_and_waited_for_later(
    simulator: Simulator, service: Service
) -> None:
    released = asyncio.Event()

    async def later(_request: httpx.Request) -> httpx.Response:
        await released.wait()
        return httpx.Response(200)

    service.answers = [later]
    await simulator.push(text="hi", wait=False, delivery={"timeout_seconds": 60})
    assert (await simulator.get("/_sim/state"))["pending_pushes"] == 1

    waiting = asyncio.create_task(simulator.post("/_sim/push/wait", {}))
    # Long enough for the call to come back, were it not waiting.
    for _ in range(50):
        await asyncio.sleep(0)
    assert not waiting.done()

    released.set()
    assert (await waiting)["pending_pushes"] == 0
    assert (await simulator.list("/_sim/ledger", kind="delivery"))[0]["status"] == 200
