"""wechatpy, written by others, in WeChat's place: a mistake made twice by us is seen."""

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest
import xmltodict
from wechatpy import WeChatClient, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException

from simulator.demo import ACCOUNT
from simulator.followers import unionid_of
from tests.e2e.peer import person
from tests.e2e.stack import Processes, Stack
from tests.waiting import eventually

CRYPTO = WeChatCrypto(ACCOUNT.token, ACCOUNT.encoding_aes_key, ACCOUNT.appid)
OTHERS = WeChatCrypto("anotherToken01", ACCOUNT.encoding_aes_key, ACCOUNT.appid)
OPENID = person(0, "peer")
NONCE = "1029384756"


def _text(content: str, openid: str = OPENID) -> str:
    document = (
        f"<xml><ToUserName><![CDATA[{ACCOUNT.original_id}]]></ToUserName>"
        f"<FromUserName><![CDATA[{openid}]]></FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{content}]]></Content><MsgId>24861234567890123</MsgId></xml>"
    )
    assert parse_message(document).content == content
    return document


def _members(xml: str) -> dict[str, str]:
    members: dict[str, str] = xmltodict.parse(xml)["xml"]
    return members


async def _push(stack: Stack, document: str, crypto: WeChatCrypto = CRYPTO) -> httpx.Response:
    """Send a document as wechatpy encrypts and signs it."""
    timestamp = str(int(time.time()))
    sealed = _members(crypto.encrypt_message(document, NONCE, timestamp))
    query = {
        "timestamp": timestamp,
        "nonce": NONCE,
        "encrypt_type": "aes",
        "msg_signature": sealed["MsgSignature"],
    }
    body = (
        f"<xml><ToUserName><![CDATA[{ACCOUNT.original_id}]]></ToUserName>"
        f"<Encrypt><![CDATA[{sealed['Encrypt']}]]></Encrypt></xml>"
    )
    return await stack.http.post(
        f"{stack.urls[0]}/callback/{ACCOUNT.appid}", params=query, content=body.encode()
    )


async def test_it_encrypts_what_we_receive_and_decrypts_what_we_answer(stack: Stack) -> None:
    answer = await _push(stack, _text("去商城 🎉 <b>&"))

    assert answer.status_code == 200
    sealed = _members(answer.text)
    assert sealed["Nonce"] == NONCE
    opened = CRYPTO.decrypt_message(answer.text, sealed["MsgSignature"], sealed["TimeStamp"], NONCE)
    reply = parse_message(opened)
    assert (reply.source, reply.target) == (ACCOUNT.original_id, OPENID)
    assert (reply.type, reply.content) == ("text", "正在为您打开商城")
    stored = await stack.tables.value(
        "SELECT payload->>'Content' FROM callbacks WHERE openid = $1", OPENID
    )
    assert stored == "去商城 🎉 <b>&"


async def test_what_it_signs_with_another_token_is_refused(stack: Stack) -> None:
    stranger = person(1, "peer")

    answer = await _push(stack, _text("商城", stranger), OTHERS)

    assert answer.status_code == 403
    assert await stack.tables.callbacks(stranger[1:]) == {}


async def test_it_refuses_our_reply_under_another_token(stack: Stack) -> None:
    answer = await _push(stack, _text("商城"))
    sealed = _members(answer.text)

    with pytest.raises(InvalidSignatureException):
        OTHERS.decrypt_message(
            answer.text,
            sealed["MsgSignature"],
            sealed["TimeStamp"],
            NONCE,
        )


@pytest.fixture
def client(processes: Processes) -> Iterator[WeChatClient]:
    wechat = WeChatClient(ACCOUNT.appid, ACCOUNT.secret)
    wechat.API_BASE_URL = f"{processes.wechat.url}/cgi-bin/"
    yield wechat
    wechat._http.close()


async def test_its_client_works_with_our_token_and_agrees_on_the_unionid(
    stack: Stack, client: WeChatClient
) -> None:
    follower = person(2, "peer")
    url = f"{stack.urls[0]}/callback/{{appid}}"
    await stack.peer.push(openid=follower, event="subscribe", callback_url=url)

    async def is_known() -> str | None:
        query = "SELECT unionid FROM openids WHERE openid = $1"
        unionid: str | None = await stack.tables.value(query, follower)
        return unionid

    unionid = await eventually(is_known, "the UnionID")
    token = await stack.tables.value("SELECT token FROM access_tokens")
    client.session.set(f"{ACCOUNT.appid}_access_token", token, 7000)
    client.expires_at = int(time.time()) + 7000

    user = await asyncio.to_thread(client.user.get, follower)

    assert user["unionid"] == unionid == unionid_of(follower)
