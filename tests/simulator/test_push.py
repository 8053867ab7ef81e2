"""Pushes as the service receives them; wechatpy is the independent reader of their crypto."""

import asyncio
import json

import httpx
import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from simulator.demo import ACCOUNT
from tests.simulator.conftest import OPENID, Json, Service, Simulator

CRYPTO = WeChatCrypto(ACCOUNT.token, ACCOUNT.encoding_aes_key, ACCOUNT.appid)
TEXT = "你好 🎉 ]]> <b>&"


def decrypted(push: httpx.Request) -> str:
    query = push.url.params
    body = push.content.decode()
    envelope = json.loads(body) if body.startswith("{") else body
    text: str = CRYPTO.decrypt_message(
        envelope, query["msg_signature"], query["timestamp"], query["nonce"]
    )
    return text


async def test_a_secure_push_holds_only_the_ciphertext(
    simulator: Simulator, service: Service
) -> None:
    await simulator.push(text=TEXT)

    push = service.received[0]
    message = parse_message(decrypted(push))
    assert (message.content, message.source, message.target) == (
        TEXT,
        OPENID,
        ACCOUNT.original_id,
    )
    assert push.url.path == f"/callback/{ACCOUNT.appid}"
    assert push.url.params["encrypt_type"] == "aes"
    assert OPENID.encode() not in push.content


async def test_a_plain_push_is_signed_but_open(simulator: Simulator, service: Service) -> None:
    await simulator.push(text=TEXT, mode="plain")

    query = service.received[0].url.params
    check_signature(ACCOUNT.token, query["signature"], query["timestamp"], query["nonce"])
    assert parse_message(service.received[0].content).content == TEXT
    assert not {"encrypt_type", "msg_signature"} & query.keys()


async def test_a_compatible_push_holds_both(simulator: Simulator, service: Service) -> None:
    await simulator.push(text=TEXT, mode="compatible")

    push = service.received[0]
    assert parse_message(push.content).content == TEXT
    assert parse_message(decrypted(push)).content == TEXT


@pytest.mark.parametrize("mode", ["plain", "compatible", "secure"])
async def test_a_json_account_is_pushed_json(
    simulator: Simulator, service: Service, mode: str
) -> None:
    await simulator.push(text=TEXT, mode=mode, format="json")

    push = service.received[0]
    text = push.content if mode == "plain" else decrypted(push)
    assert json.loads(text)["Content"] == TEXT
    assert push.headers["content-type"] == "application/json"


async def test_an_event_carries_its_key_and_further_fields(
    simulator: Simulator, service: Service
) -> None:
    lists = [
        {"TemplateId": "TPL_A", "SubscribeStatusString": "accept", "PopupScene": 2},
        {"TemplateId": "TPL_B", "SubscribeStatusString": "reject", "PopupScene": 2},
    ]
    await simulator.push(
        event="subscribe_msg_popup_event", fields={"SubscribeMsgPopupEvent": {"List": lists}}
    )
    await simulator.push(event="SCAN", event_key="store_0042", fields={"Ticket": "t"})

    popup, scan = (decrypted(push) for push in service.received)
    assert popup.count("<List><TemplateId><![CDATA[TPL_") == 2
    assert "<PopupScene>2</PopupScene>" in popup
    event = parse_message(scan)
    assert (event.event, event.scene_id, event.ticket) == ("scan", "store_0042", "t")


async def test_a_raw_document_is_pushed_as_it_is(simulator: Simulator, service: Service) -> None:
    document = "<xml><anything>goes</anything></xml>"

    await simulator.push(document=document)

    assert decrypted(service.received[0]) == document


async def test_the_sender_of_a_raw_document_is_who_acts(simulator: Simulator) -> None:
    document = "<xml><FromUserName>oRAW</FromUserName><MsgType>text</MsgType></xml>"

    assert (await simulator.push(openid=None, document=document))["openid"] == "oRAW"
    assert len(await simulator.inbox("oRAW")) == 1


async def test_what_the_platform_notices_makes_nobody_a_follower(simulator: Simulator) -> None:
    await simulator.push(
        openid="oPLATFORM", event="user_authorization_revoke", fields={"OpenID": OPENID}
    )

    assert (await simulator.read_api("user/info", openid="oPLATFORM"))["errcode"] == 40003
    assert await simulator.inbox("oPLATFORM") == []


async def test_each_message_has_an_id_of_its_own_unless_one_is_asked_for(
    simulator: Simulator, service: Service
) -> None:
    for _ in range(2):
        await simulator.push(text="hi")
    for _ in range(2):
        await simulator.push(text="hi", msg_id=7, create_time=1795500000)

    ids = [parse_message(decrypted(push)).id for push in service.received]
    assert ids[0] != ids[1]
    assert ids[2:] == [7, 7]
    assert decrypted(service.received[2]) == decrypted(service.received[3])


async def test_a_batch_pushes_everything_within_its_bound(
    simulator: Simulator, service: Service
) -> None:
    under_way: set[str] = set()
    most = 0

    async def crowded(request: httpx.Request) -> httpx.Response:
        nonlocal most
        openid = request.url.params["openid"]
        under_way.add(openid)
        most = max(most, len(under_way))
        # Lets every other push of the batch go on as far as it may.
        for _ in range(20):
            await asyncio.sleep(0)
        under_way.remove(openid)
        return httpx.Response(200)

    service.answers = [crowded] * 50
    pushes: list[Json] = [{"openid": f"o{number}", "text": "hi"} for number in range(50)]

    answer = await simulator.http.post(
        "/_sim/push/batch", json={"pushes": pushes, "concurrency": 4}
    )

    assert [one["openid"] for one in answer.json()] == [push["openid"] for push in pushes]
    reached = {request.url.params["openid"] for request in service.received}
    assert reached == {push["openid"] for push in pushes}
    assert most == 4


async def test_the_url_check_wants_the_echostr_and_nothing_else(
    simulator: Simulator, service: Service
) -> None:
    async def echo(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        check_signature(ACCOUNT.token, query["signature"], query["timestamp"], query["nonce"])
        return httpx.Response(200, text=query["echostr"])

    async def quoted(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=request.url.params["echostr"])

    service.answers = [echo, quoted]

    assert [(await simulator.get("/_sim/verify-url"))["ok"] for _ in range(2)] == [True, False]
