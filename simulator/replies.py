"""Reads the service's response to a push as WeChat does. Source: protocol 1.4 and 5."""

import hmac
from dataclasses import dataclass, field
from enum import StrEnum

from app.wechat.crypto import decode_key, decrypt, msg_signature
from app.wechat.errors import BadEnvelope
from simulator.accounts import Account, Mode
from simulator.documents import JsonObject, read
from simulator.envelopes import Stamp

SUCCESS = 200
SEALED_MEMBERS = {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"}
ARTICLES_AFTER_EVENT = 8
BODIES = {  # MsgType: the element that holds the reply
    "text": "Content",
    "image": "Image",
    "voice": "Voice",
    "video": "Video",
    "music": "Music",
    "news": "Articles",
}
TRANSFER = "transfer_customer_service"
MEDIA_IDS = {"Image": "MediaId", "Voice": "MediaId", "Video": "MediaId", "Music": "ThumbMediaId"}


class Verdict(StrEnum):
    """success: no reply. passive: a passive reply. malformed: WeChat can't read the response."""

    SUCCESS = "success"
    PASSIVE = "passive"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Answer:
    """The meaning of a response. reason: what is wrong with a malformed one."""

    verdict: Verdict
    reply: JsonObject = field(default_factory=dict)
    encrypted: bool = False
    reason: str | None = None


def read_answer(
    status: int, body: bytes, account: Account, stamp: Stamp, pushed: JsonObject
) -> Answer:
    """Return the meaning of the response to the push `pushed`, delivered with `stamp`."""
    if status != SUCCESS:
        return Answer(Verdict.MALFORMED, reason=f"status {status}")
    if body.strip() in (b"", b"success"):
        return Answer(Verdict.SUCCESS)
    try:
        outer = read(body.decode(), account.format)
        encrypted = "Encrypt" in outer
        reply = opened(outer, account, stamp)
        check(reply, pushed)
    except ValueError as error:
        return Answer(Verdict.MALFORMED, reason=str(error))
    return Answer(Verdict.PASSIVE, reply, encrypted)


def opened(outer: JsonObject, account: Account, stamp: Stamp) -> JsonObject:
    """Return the decrypted reply. Raises ValueError if mode, signature or key are wrong."""
    if "Encrypt" not in outer:
        if account.mode is Mode.SECURE:
            raise ValueError("not encrypted")
        return outer
    if account.mode is Mode.PLAIN:
        raise ValueError("encrypted in plain mode")
    if outer.keys() != SEALED_MEMBERS:
        raise ValueError("members of the sealed reply")
    encrypted, nonce = str(outer["Encrypt"]), str(outer["Nonce"])
    expected = msg_signature(account.token, str(outer["TimeStamp"]), nonce, encrypted)
    if not hmac.compare_digest(str(outer["MsgSignature"]).encode(), expected.encode()):
        raise ValueError("MsgSignature")
    if nonce != stamp.nonce:
        raise ValueError("Nonce is not the request's")
    try:
        message = decrypt(decode_key(account.encoding_aes_key), encrypted, account.appid)
    except BadEnvelope as error:
        raise ValueError(error.reason) from error
    return read(message.decode(), account.format)


def check(reply: JsonObject, pushed: JsonObject) -> None:
    """Raise ValueError unless the reply belongs to this push and has all members of its type."""
    if reply.get("ToUserName") != pushed.get("FromUserName"):
        raise ValueError("ToUserName")
    if reply.get("FromUserName") != pushed.get("ToUserName"):
        raise ValueError("FromUserName")
    if not str(reply.get("CreateTime", "")).isdigit():
        raise ValueError("CreateTime")
    after_event = pushed.get("MsgType") == "event"
    msgtype = reply.get("MsgType")
    if msgtype == TRANSFER:
        if after_event:
            raise ValueError("an event can't be transferred")
        return
    if not isinstance(msgtype, str) or msgtype not in BODIES:
        raise ValueError("MsgType")
    name = BODIES[msgtype]
    body = reply.get(name)
    if not body:
        raise ValueError(name)
    if name == "Articles":
        check_articles(reply, ARTICLES_AFTER_EVENT if after_event else 1)
    if name in MEDIA_IDS and not (isinstance(body, dict) and body.get(MEDIA_IDS[name])):
        raise ValueError(MEDIA_IDS[name])


def check_articles(reply: JsonObject, limit: int) -> None:
    """Raise ValueError unless there are 1 to `limit` articles, as many as ArticleCount says."""
    articles = reply["Articles"]
    items = articles.get("item") if isinstance(articles, dict) else articles
    count = len(items) if isinstance(items, list) else 1
    if str(reply.get("ArticleCount")) != str(count) or count > limit:
        raise ValueError("ArticleCount")
