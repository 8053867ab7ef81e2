"""The replies of the chosen rules, filled in, in the order in which they go out. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from app.rules.definition.templates import Unfillable, filled, is_plain
from app.rules.matching.rule_set import Chosen, Rule
from app.wechat.inbound import BaseMessage, Inbound
from app.wechat.outbound import Message, Text, TransferCustomerService


@dataclass(frozen=True, slots=True)
class RenderedReply:
    """One reply. id: `{ref}` of it. skipped, failed: why it is not sent at all."""

    id: UUID
    rule: Rule
    reply: Message
    skipped: str | None = None
    failed: str | None = None


def render_replies(
    chosen: Sequence[Chosen], message: Inbound, *, appid: str
) -> Iterator[RenderedReply]:
    """Yield every reply, best rule first.

    The response has room for one passive reply: a text that comes second is queued, anything
    else is skipped, and so is an event's transfer to an agent. What can't be filled in fails.
    """
    room = True
    for choice in chosen:
        for reply in choice.rule.replies:
            ready = _queued_instead(reply) if reply.via == "passive" and not room else reply
            answer = _answer(choice, ready, message, appid, room=room)
            room &= ready.via != "passive" or bool(answer.skipped or answer.failed)
            yield answer


def _answer(
    choice: Chosen, reply: Message, message: Inbound, appid: str, *, room: bool
) -> RenderedReply:
    reply_id, rule = uuid7(), choice.rule
    if reply.via == "passive" and not room:
        reason = "the response carries one passive reply, and it is another one"
        return RenderedReply(reply_id, rule, reply, skipped=reason)
    if isinstance(reply, TransferCustomerService) and not isinstance(message, BaseMessage):
        reason = "only a message can be handed over to an agent, not an event"
        return RenderedReply(reply_id, rule, reply, skipped=reason)
    if is_plain(reply, rule.utm):
        return RenderedReply(reply_id, rule, reply)
    values = {**choice.captures, "account": appid, "rule": str(rule.id), "ref": reply_id.hex}
    try:
        return RenderedReply(reply_id, rule, filled(reply, values, rule.utm))
    except Unfillable as error:
        return RenderedReply(reply_id, rule, reply, failed=str(error))


def _queued_instead(reply: Message) -> Message:
    if isinstance(reply, Text):
        return reply.model_copy(update={"via": "customer_service"})
    return reply
