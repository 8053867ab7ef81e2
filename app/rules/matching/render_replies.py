"""Fills in the replies of the chosen rules, in sending order. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

from app import refs
from app.rules.definition.templates import Unfillable, filled, unchanged
from app.rules.definition.utm import Utm
from app.rules.matching.reply_id import reply_id
from app.rules.matching.rule_set import Chosen, Rule
from app.value_class import value_class
from app.wechat.inbound import BaseMessage, Inbound
from app.wechat.outbound import (
    Message,
    MiniProgramPage,
    News,
    Text,
    TransferCustomerService,
    rule_instead,
    text_instead,
)
from app.wechat.outbound.code_mark import CODE, code_mark, takes_code

INSTEAD: Final = "the response says what stands in for a reply that can't be sent"


@value_class
class RenderedReply:
    """One reply with its placeholders filled.

    id: the `{ref}` follows from it. skipped, failed: why the reply is not sent at all; else None.
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
    nothing can be seen, has failed. In place of a queued reply that is known to be unsendable the
    response says its `otherwise`, or gives the passive reply of its `otherwise_rule`; the rule's
    own passive reply is skipped.
    push_key: `dedupe_key` of the push, from which the ids of its replies follow.
    """
    can_reply, position = True, 0
    for choice in chosen:
        for reply, skipped, utm in _with_one_instead(
            choice, message, unsendable, can_reply=can_reply
        ):
            ready = _queued_instead(reply) if reply.via == "passive" and not can_reply else reply
            ref = reply_id(push_key, message.create_time, position)
            position += 1
            if skipped is not None:
                yield RenderedReply(ref, choice.rule, reply, skipped=skipped)
                continue
            rendered = _rendered(choice, ready, utm, message, appid, ref, can_reply=can_reply)
            # The one passive reply is still free if this one is not passive or is not sent.
            can_reply &= ready.via != "passive" or bool(rendered.skipped or rendered.failed)
            yield rendered


def _with_one_instead(
    choice: Chosen, message: Inbound, unsendable: Unsendable, *, can_reply: bool
) -> Iterator[tuple[Message, str | None, Utm | None]]:
    """Yield the replies of a rule, each with why it is skipped and the UTM parameters for it.

    What is said instead of the first reply that can't be sent stands in its place.
    """
    rule = choice.rule
    found = _unsendable_reply(choice, message, unsendable) if can_reply else None
    for reply in rule.replies:
        if found is None or (reply is not found.reply and reply.via != "passive"):
            yield reply, None, rule.utm
        elif reply is found.reply:
            yield reply, found.reason, rule.utm
            yield found.instead, None, found.utm
        else:
            yield reply, INSTEAD, rule.utm


@value_class
class _Unsendable:
    reply: Message
    instead: Message
    utm: Utm | None
    reason: str


def _unsendable_reply(
    choice: Chosen, message: Inbound, unsendable: Unsendable
) -> _Unsendable | None:
    for reply in choice.rule.replies:
        instead = _instead(choice, reply, message)
        reason = None if instead is None else unsendable(reply)
        if instead is not None and reason is not None:
            return _Unsendable(reply, *instead, reason)
    return None


def _instead(choice: Chosen, reply: Message, message: Inbound) -> tuple[Message, Utm | None] | None:
    """Return what is said if a reply can't be sent; None if there is nothing to say."""
    text = text_instead(reply)
    if text is not None:
        return text, choice.rule.utm
    other = choice.instead.get(rule_instead(reply) or "")
    if other is None:
        return None
    for answer in other.replies:
        if answer.via == "passive" and _answers(answer, message):
            return answer, other.utm
    return None


def _answers(reply: Message, message: Inbound) -> bool:
    """Tell whether a passive reply of another rule can answer this message, too."""
    if isinstance(reply, TransferCustomerService):
        return isinstance(message, BaseMessage)
    return not isinstance(reply, News) or len(reply.articles) == 1


def _rendered(
    choice: Chosen,
    reply: Message,
    utm: Utm | None,
    message: Inbound,
    appid: str,
    ref: UUID,
    *,
    can_reply: bool,
) -> RenderedReply:
    rule = choice.rule
    if reply.via == "passive" and not can_reply:
        reason = "the response carries one passive reply, and another one took its place"
        return RenderedReply(ref, rule, reply, skipped=reason)
    if isinstance(reply, TransferCustomerService) and not isinstance(message, BaseMessage):
        reason = "only a message can be handed over to an agent, not an event"
        return RenderedReply(ref, rule, reply, skipped=reason)
    content = unchanged(reply, utm)
    if content is not None:
        return RenderedReply(ref, rule, reply, content=content)
    values = {
        CODE: code_mark(ref),
        **choice.captures,
        "account": appid,
        "rule": str(rule.id),
        "ref": refs.of_reply(ref),
    }
    try:
        ready = filled(reply, values, utm)
    except Unfillable as error:
        return RenderedReply(ref, rule, reply, failed=str(error))
    if isinstance(ready, Text | MiniProgramPage) and takes_code(ready, ref):
        content = _with_text_instead_filled(ready, values, utm).model_dump_json()
        return RenderedReply(ref, rule, ready, content=content)
    return RenderedReply(ref, rule, ready)


def _with_text_instead_filled(
    reply: Text | MiniProgramPage, values: dict[str, str], utm: Utm | None
) -> Message:
    """Return a reply that waits for a code with its `otherwise` filled; none if it can't be."""
    instead = text_instead(reply)
    if instead is None:
        return reply
    try:
        text = filled(instead, values, utm)
    except Unfillable:
        return reply.model_copy(update={"otherwise": None})
    words = text.content if isinstance(text, Text) else None
    return reply.model_copy(update={"otherwise": words})


def _queued_instead(reply: Message) -> Message:
    if isinstance(reply, Text):
        return reply.model_copy(update={"via": "customer_service"})
    return reply
