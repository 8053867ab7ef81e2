"""The dedupe key of a push, and the person that a push is about."""

import hashlib
import json

from app.wechat.ids import AppId, OpenId
from app.wechat.inbound.decode_elements import lowered, trimmed
from app.wechat.inbound.messages import BaseMessage
from app.wechat.inbound.privacy_events import PrivacyEvent
from app.wechat.inbound.registry import Inbound
from app.wechat.inbound.subscription_events import ConsentEvent, SubscribeMsgSent

# A key begins with the CreateTime, which is the same for every delivery. So keys that arrive
# together lie side by side in the database's index, and the rest of a large one is not touched.
_TIME_BYTES = 4
_MOST_SECONDS = 2 ** (8 * _TIME_BYTES) - 1
DIGEST_BYTES = 16
_DISTINGUISHING = ("eventkey", "msgid", "openid")
# A MsgId is an unsigned number of 64 bits. Source: protocol 4.1.
_MAX_MSG_ID_DIGITS = 20


def subject_openid(message: Inbound) -> OpenId:
    """Return the person that a push is about: the sender, or the OpenID that a privacy event names.

    Source: protocol 4.3.
    """
    if isinstance(message, PrivacyEvent) and message.openid is not None:
        return OpenId(message.openid)
    return OpenId(message.from_user)


def dedupe_key(appid: AppId, message: Inbound) -> bytes:
    """Return 20 bytes that are the same for every delivery of one push, and differ between pushes.

    They are the CreateTime in 4 bytes, and 16 of a digest of what tells pushes apart.
    The order of elements, blanks around values and the encryption make no difference. A MsgId that
    can be none (0, -1) counts as missing: then the whole body decides.
    Source: protocol 3.
    """
    sender = (appid, message.from_user, str(message.create_time))
    if isinstance(message, BaseMessage) and message.msg_id is not None and _is_id(message.msg_id):
        return _key(message, _digest("message", *sender, message.msg_id))
    kind = message.msgtype if isinstance(message, BaseMessage) else message.event
    contents = _digest(_canonical(message.payload)).hex()
    return _key(message, _digest("event", *sender, kind, _distinguishing(message), contents))


def digest_of(key: bytes) -> bytes:
    """Return what tells pushes apart: the last 16 bytes of a key, which alone were one earlier.

    What is made of this part is the same whichever version makes it.
    """
    return key[-DIGEST_BYTES:]


def _key(message: Inbound, digest: bytes) -> bytes:
    seconds: int = min(max(message.create_time, 0), _MOST_SECONDS)
    return seconds.to_bytes(_TIME_BYTES, "big") + digest[:DIGEST_BYTES]


def _is_id(msg_id: str) -> bool:
    return (
        msg_id[0] != "0"
        and len(msg_id) <= _MAX_MSG_ID_DIGITS
        and msg_id.isascii()
        and msg_id.isdigit()
    )


def _distinguishing(message: Inbound) -> str:
    members = lowered(message.payload)
    for name in _DISTINGUISHING:
        value = trimmed(members.get(name))
        if value is not None:
            return value
    if isinstance(message, ConsentEvent):
        return ",".join(sorted(item.template_id or "" for item in message.items))
    if isinstance(message, SubscribeMsgSent):
        pairs = (f"{item.template_id}:{item.msg_id}" for item in message.items)
        return ",".join(sorted(pairs))
    return ""


def _canonical(document: object) -> str:
    return json.dumps(_plain(document), ensure_ascii=False, sort_keys=True)


def _plain(value: object) -> object:
    match value:
        case dict():
            members = {name: _plain(member) for name, member in value.items()}
            return {name: member for name, member in members.items() if member}
        case [only]:
            return _plain(only)
        case list():
            return [_plain(item) for item in value]
        case str():
            return value.strip()
    return value


def _digest(*parts: str) -> bytes:
    # Each part follows its length, so that no two different lists of parts give the same bytes.
    framed = bytearray()
    for part in parts:
        encoded = part.encode()
        framed += len(encoded).to_bytes(4, "big") + encoded
    return hashlib.sha256(framed).digest()
