"""Fills in the replies of the chosen rules, in sending order. Pure."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from app.rules.definition.templates import Unfillable, filled, unchanged
from app.rules.matching.reply_id import reply_id
from app.rules.matching.rule_set import Chosen, Rule
from app.value_class import value_class
from app.wechat.inbound import BaseMessage, Inbound
from app.wechat.outbound import Message, Text, TransferCustomerService


@value_class
class RenderedReply:
    """One reply with its placeholders filled.

    id: also the value of `{ref}`. skipped, failed: why the reply is not sent at all; else None.
    content: its JSON text if it is the same for every follower, since nothing had to be filled in.
    """

    id: UUID
    rule: Rule
    reply: Message
    skipped: str | None = None
    failed: str | None = None
    content: str | None = None


def render_replies(
    chosen: Sequence[Chosen], message: Inbound, *, appid: str, push_key: bytes
) -> Iterator[RenderedReply]:
    """Yield every reply, best rule first.

    The response to WeChat can carry one passive reply. A second passive text is sent as a
    customer-service message, any other second passive reply is skipped. The transfer to an agent
    is skipped for an event. A reply whose placeholders can't be filled, or of which
    nothing can be seen, has failed.
    push_key: `dedupe_key` of the push, from which the ids of its replies follow.
    """
    can_reply, position = True, 0
    for choice in chosen:
        for reply in choice.rule.replies:
            ready = _queued_instead(reply) if reply.via == "passive" and not can_reply else reply
            ref = reply_id(push_key, message.create_time, position)
            position += 1
            rendered = _rendered(choice, ready, message, appid, ref, can_reply=can_reply)
            # The one passive reply is still free if this one is not passive or is not sent.
            can_reply &= ready.via != "passive" or bool(rendered.skipped or rendered.failed)
            yield rendered


def _rendered(
    choice: Chosen, reply: Message, message: Inbound, appid: str, ref: UUID, *, can_reply: bool
) -> RenderedReply:
    rule = choice.rule
    if reply.via == "passive" and not can_reply:
        reason = "the response carries one passive reply, and another one took its place"
        return RenderedReply(ref, rule, reply, skipped=reason)
    if isinstance(reply, TransferCustomerService) and not isinstance(message, BaseMessage):
        reason = "only a message can be handed over to an agent, not an event"
        return RenderedReply(ref, rule, reply, skipped=reason)
    content = unchanged(reply, rule.utm)
    if content is not None:
        return RenderedReply(ref, rule, reply, content=content)
    values = {**choice.captures, "account": appid, "rule": str(rule.id), "ref": ref.hex}
    try:
        ready = filled(reply, values, rule.utm)
    except Unfillable as error:
        return RenderedReply(ref, rule, reply, failed=str(error))
    return RenderedReply(ref, rule, ready)


def _queued_instead(reply: Message) -> Message:
    if isinstance(reply, Text):
        return reply.model_copy(update={"via": "customer_service"})
    return reply
