"""The replies of the chosen rules as rows to be."""

from collections.abc import Sequence
from datetime import datetime

from app.replies.models import ReplyStatus
from app.replies.new_reply import NewReply, new_reply, unsent_reply
from app.rules.matching.render_replies import RenderedReply, render_replies
from app.rules.matching.rule_set import Chosen
from app.wechat.inbound import Inbound


def reply_rows(
    chosen: Sequence[Chosen], message: Inbound, *, appid: str, expires_at: datetime
) -> tuple[NewReply, ...]:
    """Return a draft per reply, best rule first. expires_at: when a queued one is given up."""
    return tuple(
        _draft(position, answer, expires_at)
        for position, answer in enumerate(render_replies(chosen, message, appid=appid))
    )


def _draft(position: int, answer: RenderedReply, expires_at: datetime) -> NewReply:
    rule_id = answer.rule.id
    if answer.skipped is not None:
        status, reason = ReplyStatus.SKIPPED, answer.skipped
    elif answer.failed is not None:
        status, reason = ReplyStatus.FAILED, answer.failed
    else:
        return new_reply(answer.id, position, answer.reply, rule_id, expires_at)
    return unsent_reply(answer.id, position, answer.reply, rule_id, status, reason)
