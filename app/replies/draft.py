"""Replies as they are queued: a rule's replies turned into rows, pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from app.replies.models import ReplyStatus, Via
from app.wechat.outbound import Message


@dataclass(frozen=True, slots=True)
class Draft:
    """One row of `replies` to be. content: JSON text of the `outbound` reply.

    expires_at: None for a passive reply, which is sent or lost with the response.
    """

    id: UUID
    position: int
    via: Via
    msgtype: str
    content: str
    status: ReplyStatus
    expires_at: datetime | None


def drafts(replies: Sequence[Message], *, expires_at: datetime) -> tuple[Draft, ...]:
    """Return a draft per reply, in the rule's order. expires_at: when a queued one is given up."""
    return tuple(_draft(number, reply, expires_at) for number, reply in enumerate(replies))


def _draft(position: int, reply: Message, expires_at: datetime) -> Draft:
    passive = reply.via == "passive"
    return Draft(
        id=uuid7(),
        position=position,
        via=Via.PASSIVE if passive else Via.CUSTOMER_SERVICE,
        msgtype=reply.msgtype,
        content=reply.model_dump_json(),
        status=ReplyStatus.SENT if passive else ReplyStatus.PENDING,
        expires_at=None if passive else expires_at,
    )
