"""Parses a document into a typed message or event. Source: protocol 4."""

from datetime import datetime
from typing import TypedDict

from app.wechat.errors import BadEnvelope, Stale
from app.wechat.inbound.decode_elements import Members, build, lowered, trimmed
from app.wechat.inbound.messages import Text, UnknownMessage, Unsupported
from app.wechat.inbound.other_events import OtherEvent, UnknownEvent, other_name
from app.wechat.inbound.registry import EVENTS, MESSAGES, Event, Inbound, Message
from app.wechat.inbound.unsupported import is_placeholder
from app.wechat.push_format import Format, parse_document

_MAX_OPENID_CHARACTERS = 128
_MAX_CREATE_TIME_DIGITS = 15
_END_OF_YEAR_9999 = 253402300799
# 13 digits: no time in seconds has as many, and every one in milliseconds since 2001.
_FIRST_MILLISECONDS = 10**12


class _Common(TypedDict):
    to_user: str
    from_user: str
    create_time: int
    payload: dict[str, object]


def parse(text: str, format: Format) -> Inbound:
    """Parse a verified and decrypted push.

    An unknown MsgType or Event gives an UnknownMessage or UnknownEvent; it is no error. A text that
    WeChat pushes in place of a sticker gives an Unsupported.
    Raises BadEnvelope (malformed, forbidden_dtd, duplicate_member, mixed_body).
    """
    document = parse_document(text, format)
    # WeChat sends no ciphertext to an account in plain mode. What stands beside one is signed by
    # nobody: the account is in another mode than its settings say, or somebody edited the push.
    if "Encrypt" in document:
        raise BadEnvelope("mixed_body")
    members = lowered(document)
    common = _common(members, document)
    msgtype = trimmed(members.get("msgtype"))
    if msgtype is None:
        raise BadEnvelope("malformed")
    if msgtype.lower() == "event":
        return _event(trimmed(members.get("event")) or "", members, common)
    return _message(msgtype, members, common)


def require_recipient(message: Inbound, original_id: str | None) -> None:
    """Raise BadEnvelope (wrong_recipient) if the push is for another account.

    original_id: of the account, `gh_…`; None if it is not configured. Source: protocol 1.3.
    """
    if original_id is not None and message.to_user != original_id:
        raise BadEnvelope("wrong_recipient")


def require_past(message: Inbound, now: datetime, tolerance_seconds: int) -> None:
    """Raise Stale (from_the_future) if the push says that it was made later than now.

    tolerance_seconds: how far the clocks may differ. What lies further ahead would outrank
    everything that the person does until then.
    """
    if message.create_time > now.timestamp() + tolerance_seconds:
        raise Stale("from_the_future")


def _common(members: Members, document: dict[str, object]) -> _Common:
    from_user = trimmed(members.get("fromusername"))
    if from_user is None or len(from_user) > _MAX_OPENID_CHARACTERS:
        raise BadEnvelope("malformed")
    return {
        "to_user": trimmed(members.get("tousername")) or "",
        "from_user": from_user,
        "create_time": _create_time(trimmed(members.get("createtime")) or ""),
        "payload": document,
    }


def _create_time(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_CREATE_TIME_DIGITS):
        raise BadEnvelope("malformed")
    seconds = int(digits)
    if seconds >= _FIRST_MILLISECONDS:
        seconds //= 1000
    if seconds > _END_OF_YEAR_9999:
        raise BadEnvelope("malformed")
    return seconds


def _message(msgtype: str, members: Members, common: _Common) -> Message:
    kind = MESSAGES.get(msgtype.lower())
    if kind is None:
        return build(UnknownMessage, members, msgtype=msgtype, **common)
    message = build(kind, members, **common)
    if isinstance(message, Text) and message.bizmsgmenuid is None:
        return build(Unsupported, members, **common) if is_placeholder(message.content) else message
    return message


def _event(event: str, members: Members, common: _Common) -> Event:
    kind = EVENTS.get(event.lower())
    if kind is not None:
        return build(kind, members, **common)
    name = other_name(event)
    if name is None:
        return build(UnknownEvent, members, event=event, **common)
    return build(OtherEvent, members, event=name, **common)
