"""New rows of `replies`, as the callback stores them. Pure."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.replies.models import ReplyStatus, Via
from app.value_class import value_class
from app.wechat.outbound import OF_RULE, Message


@value_class
class NewReply:
    """A row of `replies` that is not stored yet. content: JSON text of the `outbound` reply.

    expires_at: None for a reply whose status is final: a passive reply, which goes with the
    response, and a reply that is not sent (errmsg says why). fixed: whether a passive reply is
    the same for every follower, so that it holds nothing that one of them wrote.
    """

    id: UUID
    position: int
    via: Via
    msgtype: str
    content: str
    status: ReplyStatus
    expires_at: datetime | None
    rule_id: int | None = None
    errmsg: str | None = None
    fixed: bool = False

    @property
    def is_in_response(self) -> bool:
        """Whether it is the passive reply that is sent; the row of its callback holds that one."""
        return self.status is ReplyStatus.SENT and self.via is Via.PASSIVE


def new_reply(
    reply_id: UUID,
    position: int,
    reply: Message,
    rule_id: int,
    expires_at: datetime,
    *,
    content: str | None = None,
) -> NewReply:
    """Return a passive reply, which counts as sent, or one that is queued until `expires_at`.

    content: the JSON text of the reply, if it is the same for every follower.
    """
    passive = reply.via == "passive"
    return NewReply(
        id=reply_id,
        position=position,
        via=Via.PASSIVE if passive else Via.CUSTOMER_SERVICE,
        msgtype=reply.msgtype,
        content=content or reply.model_dump_json(exclude=OF_RULE),
        status=ReplyStatus.SENT if passive else ReplyStatus.PENDING,
        expires_at=None if passive else expires_at,
        rule_id=rule_id,
        fixed=passive and content is not None,
    )


def unsent_reply(
    reply_id: UUID, position: int, reply: Message, rule_id: int, status: ReplyStatus, errmsg: str
) -> NewReply:
    """Return a reply that is stored but not sent. status: failed or skipped. errmsg: why."""
    return NewReply(
        id=reply_id,
        position=position,
        via=Via(reply.via),
        msgtype=reply.msgtype,
        content=reply.model_dump_json(exclude=OF_RULE),
        status=status,
        expires_at=None,
        rule_id=rule_id,
        errmsg=errmsg,
    )


def passive_of(replies: Sequence[NewReply]) -> str | None:
    """Return the content of the passive reply that is sent, if there is one."""
    return next((reply.content for reply in replies if reply.is_in_response), None)
