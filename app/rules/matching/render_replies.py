"""Fills in the replies of the chosen rules, in sending order. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

from app.rules.definition.templates import Unfillable, filled, unchanged
from app.rules.matching.reply_id import reply_id
from app.rules.matching.rule_set import Chosen, Rule
from app.value_class import value_class
from app.wechat.inbound import BaseMessage, Inbound
from app.wechat.outbound import Message, MiniProgramPage, Text, TransferCustomerService
from app.wechat.outbound.code_mark import CODE, code_mark, takes_code

INSTEAD_OF_CARD: Final = "the response says what stands in for a card that can't be sent"


@value_class
class RenderedReply:
    """One reply with its placeholders filled.

    id: also the value of `{ref}`. skipped, failed: why the reply is not sent at all; else None.
    content: its JSON text, if it is the same for every follower, since nothing had to be filled in,
    or if it waits for a code: then with what is said without one.
    """

    id: UUID
    rule: Rule
    reply: Message
    skipped: str | None = None
    failed: str | None = None
    content: str | None = None


Unsendable = Callable[[Message], str | None]
"""Returns why a queued reply is known to be unsendable now; None if nothing is known."""


def nothing_known(_: Message) -> str | None:
    """Return None: nothing keeps any reply from being sent, as far as is known."""
    return None


def render_replies(
    chosen: Sequence[Chosen],
    message: Inbound,
    *,
    appid: str,
    push_key: bytes,
    unsendable: Unsendable = nothing_known,
) -> Iterator[RenderedReply]:
    """Yield every reply, best rule first.

    The response to WeChat can carry one passive reply. A second passive text is sent as a
    customer-service message, any other second passive reply is skipped. The transfer to an agent
    is skipped for an event. A reply whose placeholders can't be filled, or of which
    nothing can be seen, has failed. In place of a card that is known to be unsendable the response
    says its `otherwise`, and the rule's own passive reply is skipped.
    push_key: `dedupe_key` of the push, from which the ids of its replies follow.
    """
    can_reply, position = True, 0
    for choice in chosen:
        for reply, skipped in _with_text_instead(choice.rule, unsendable, can_reply=can_reply):
            ready = _queued_instead(reply) if reply.via == "passive" and not can_reply else reply
            ref = reply_id(push_key, message.create_time, position)
            position += 1
            if skipped is not None:
                yield RenderedReply(ref, choice.rule, reply, skipped=skipped)
                continue
            rendered = _rendered(choice, ready, message, appid, ref, can_reply=can_reply)
            # The one passive reply is still free if this one is not passive or is not sent.
            can_reply &= ready.via != "passive" or bool(rendered.skipped or rendered.failed)
            yield rendered


def _with_text_instead(
    rule: Rule, unsendable: Unsendable, *, can_reply: bool
) -> Iterator[tuple[Message, str | None]]:
    """Yield the replies of a rule, each with why it is skipped.

    The text that is said instead of the first card that can't be sent stands in its place.
    """
    card = _unsendable_card(rule, unsendable) if can_reply else None
    for reply in rule.replies:
        if card is None or (reply is not card.reply and reply.via != "passive"):
            yield reply, None
        elif reply is card.reply:
            yield reply, card.reason
            yield card.text, None
        else:
            yield reply, INSTEAD_OF_CARD


@value_class
class _Card:
    reply: Message
    text: Text
    reason: str


def _unsendable_card(rule: Rule, unsendable: Unsendable) -> _Card | None:
    for reply in rule.replies:
        text = reply.text_instead if isinstance(reply, MiniProgramPage) else None
        reason = None if text is None else unsendable(reply)
        if text is not None and reason is not None:
            return _Card(reply, text, reason)
    return None


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
    values = {
        CODE: code_mark(ref),
        **choice.captures,
        "account": appid,
        "rule": str(rule.id),
        "ref": ref.hex,
    }
    try:
        ready = filled(reply, values, rule.utm)
    except Unfillable as error:
        return RenderedReply(ref, rule, reply, failed=str(error))
    if isinstance(ready, Text | MiniProgramPage) and takes_code(ready, ref):
        content = _with_text_instead_filled(ready, values, rule).model_dump_json()
        return RenderedReply(ref, rule, ready, content=content)
    return RenderedReply(ref, rule, ready)


def _with_text_instead_filled(
    reply: Text | MiniProgramPage, values: dict[str, str], rule: Rule
) -> Message:
    """Return a reply that waits for a code with its `otherwise` filled; none if it can't be."""
    instead = reply.text_instead
    if instead is None:
        return reply
    try:
        text = filled(instead, values, rule.utm)
    except Unfillable:
        return reply.model_copy(update={"otherwise": None})
    words = text.content if isinstance(text, Text) else None
    return reply.model_copy(update={"otherwise": words})


def _queued_instead(reply: Message) -> Message:
    if isinstance(reply, Text):
        return reply.model_copy(update={"via": "customer_service"})
    return reply
