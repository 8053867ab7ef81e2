"""Turns the replies of the chosen rules into rows of `replies`."""

from collections.abc import Sequence
from datetime import datetime

from app.replies.models import ReplyStatus
from app.replies.new_reply import NewReply, new_reply, unsent_reply
from app.rules.matching.render_replies import (
    RenderedReply,
    Unsendable,
    nothing_known,
    render_replies,
)
from app.rules.matching.rule_set import Chosen
from app.wechat.inbound import Inbound


def reply_rows(
    chosen: Sequence[Chosen],
    message: Inbound,
    *,
    appid: str,
    push_key: bytes,
    expires_at: datetime,
    late: str | None = None,
    unsendable: Unsendable = nothing_known,
) -> tuple[NewReply, ...]:
    """Return a row per reply, best rule first.

    expires_at: when a queued reply is given up. late: why none can be sent, if it is over already.
    unsendable: what else is known to keep one from being sent.
    """
    return tuple(
        _row(position, rendered, expires_at, late)
        for position, rendered in enumerate(
            render_replies(
                chosen,
                message,
                appid=appid,
                push_key=push_key,
                unsendable=lambda reply: late or unsendable(reply),
            )
        )
    )


def _row(
    position: int, rendered: RenderedReply, expires_at: datetime, late: str | None
) -> NewReply:
    rule_id = rendered.rule.id
    if rendered.skipped is not None:
        status, reason = ReplyStatus.SKIPPED, rendered.skipped
    elif rendered.failed is not None:
        status, reason = ReplyStatus.FAILED, rendered.failed
    elif late is not None and rendered.reply.via != "passive":
        status, reason = ReplyStatus.EXPIRED, late
    else:
        return new_reply(
            rendered.id, position, rendered.reply, rule_id, expires_at, content=rendered.content
        )
    return unsent_reply(rendered.id, position, rendered.reply, rule_id, status, reason)
