"""Parses a document into a typed message or event. Source: protocol 4.

No push is lost for what its members hold: all that it must say is when it was sent and, unless it
is an event, by whom.
"""

import hashlib
import re
from datetime import datetime
from typing import TypedDict

from app.wechat.errors import BadEnvelope, Stale
from app.wechat.ids import MAX_ID_CHARACTERS
from app.wechat.inbound.decode_elements import Members, build, lowered, trimmed
from app.wechat.inbound.messages import Text, UnknownMessage, Unsupported
from app.wechat.inbound.other_events import OtherEvent, UnknownEvent, other_name
from app.wechat.inbound.privacy_events import PrivacyEvent
from app.wechat.inbound.registry import EVENTS, MESSAGES, Event, Inbound, Message
from app.wechat.inbound.unsupported import is_placeholder
from app.wechat.push_format import Format, parse_document

_MAX_NAME_CHARACTERS = 128
_MAX_CREATE_TIME_DIGITS = 19
# A number of JSON may be written with decimals or an exponent.
_NUMBER = re.compile(r"[0-9]{1,19}(?:\.[0-9]{0,15})?(?:[eE]\+?[0-9]{1,2})?")
_END_OF_YEAR_9999 = 253402300799
# 13 digits: no time in seconds has as many, and every one in milliseconds since 2001. Times in
# micro- and nanoseconds have 16 and 19.
_FIRST_MILLISECONDS = 10**12


class _Common(TypedDict):
    to_user: str
    from_user: str
    create_time: int
    payload: dict[str, object]


def parse(text: str, format: Format) -> Inbound:
    """Parse a verified and decrypted push.

    An unknown MsgType or Event gives an UnknownMessage or UnknownEvent; it is no error. A push
    without MsgType is an event if it has an Event, else a message of the type `unknown`. An event
    without a sender is an UnknownEvent, unless it names the person in another member. A text that
    WeChat pushes in place of a sticker gives an Unsupported.
    Raises BadEnvelope (malformed, forbidden_dtd, mixed_body).
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
        msgtype = "unknown" if trimmed(members.get("event")) is None else "event"
    if msgtype.lower() == "event":
        return _event(trimmed(members.get("event")) or "", members, common)
    if not common["from_user"]:
        raise BadEnvelope("malformed")
    return _message(msgtype, members, common)


def require_recipient(message: Inbound, original_id: str | None) -> None:
    """Raise BadEnvelope (wrong_recipient) if the push says that it is for another account.

    Some events say nothing. original_id: of the account, `gh_…`; None if it is not configured.
    Source: protocol 1.3.
    """
    if original_id is not None and message.to_user not in {"", original_id}:
        raise BadEnvelope("wrong_recipient")


def require_past(message: Inbound, now: datetime, tolerance_seconds: int) -> None:
    """Raise Stale (from_the_future) if the push says that it was made later than now.

    tolerance_seconds: how far the clocks may differ. What lies further ahead would outrank
    everything that the person does until then.
    """
    if message.create_time > now.timestamp() + tolerance_seconds:
        raise Stale("from_the_future")


def _common(members: Members, document: dict[str, object]) -> _Common:
    from_user = trimmed(members.get("fromusername")) or ""
    if len(from_user) > MAX_ID_CHARACTERS:
        from_user = _digest(from_user)
    return {
        "to_user": trimmed(members.get("tousername")) or "",
        "from_user": from_user,
        "create_time": _create_time(trimmed(members.get("createtime")) or ""),
        "payload": document,
    }


def _create_time(digits: str) -> int:
    if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_CREATE_TIME_DIGITS:
        seconds = int(digits)
    elif _NUMBER.fullmatch(digits):
        seconds = int(float(digits))
    else:
        raise BadEnvelope("malformed")
    while seconds >= _FIRST_MILLISECONDS:
        seconds //= 1000
    if seconds > _END_OF_YEAR_9999:
        raise BadEnvelope("malformed")
    return seconds


def _message(msgtype: str, members: Members, common: _Common) -> Message:
    kind = MESSAGES.get(msgtype.lower())
    if kind is None:
        return build(UnknownMessage, members, msgtype=msgtype[:_MAX_NAME_CHARACTERS], **common)
    message = build(kind, members, **common)
    if isinstance(message, Text) and message.bizmsgmenuid is None:
        return build(Unsupported, members, **common) if is_placeholder(message.content) else message
    return message


def _event(event: str, members: Members, common: _Common) -> Event:
    kind = EVENTS.get(event.lower())
    if kind is not None and (common["from_user"] or issubclass(kind, PrivacyEvent)):
        return build(kind, members, **common)
    name = other_name(event)
    if name is None or not common["from_user"]:
        return build(UnknownEvent, members, event=event[:_MAX_NAME_CHARACTERS], **common)
    return build(OtherEvent, members, event=name[:_MAX_NAME_CHARACTERS], **common)


def _digest(name: str) -> str:
    """Return what stands for a name that is too long for an index; the payload has it whole."""
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
