"""Which replies of the chosen rules are sent, as what, and which not."""

from dataclasses import replace
from typing import Any

from app import refs
from app.rules.definition.utm import Utm
from app.rules.matching.render_replies import RenderedReply, render_replies
from app.rules.matching.reply_id import reply_id
from app.rules.matching.rule_set import Chosen
from app.wechat.inbound import Inbound
from app.wechat.outbound import REPLY
from tests.rules.makers import APPID, follow, rule, text

KEY = bytes(range(16))
TAKEN = "the response carries one passive reply, and another one took its place"
AGENT = "only a message can be handed over to an agent, not an event"
IMAGE = {"msgtype": "image", "via": "passive", "media": {"media_id": "m"}}
CARD = {
    "msgtype": "miniprogrampage",
    "via": "customer_service",
    "title": "Shop",
    "appid": "wx0123456789abcdef",
    "pagepath": "pages/a",
    "thumb": {"media_id": "m"},
}
TRANSFER = {"msgtype": "transfer_customer_service", "via": "passive"}


def says(content: str, via: str = "passive") -> dict[str, Any]:
    return {"msgtype": "text", "via": via, "content": content}


def chosen(number: int, *replies: dict[str, Any], **captures: str) -> Chosen:
    made = tuple(REPLY.validate_python(reply) for reply in replies)
    return Chosen(replace(rule(number, "subscribe"), replies=made), captures)


def rendered(*rules: Chosen, message: Inbound | None = None) -> list[RenderedReply]:
    return [*render_replies(rules, message or text("a"), appid=APPID, push_key=KEY)]


def told(replies: list[RenderedReply]) -> list[tuple[int, str, str, str | None, str | None]]:
    return [
        (one.rule.id, one.reply.msgtype, one.reply.via, one.skipped, one.failed) for one in replies
    ]


def test_the_first_passive_reply_is_the_response_and_a_further_text_is_sent() -> None:
    found = rendered(chosen(1, says("one"), says("two")), chosen(2, says("three")))

    assert told(found) == [
        (1, "text", "passive", None, None),
        (1, "text", "customer_service", None, None),
        (2, "text", "customer_service", None, None),
    ]


def test_a_further_passive_reply_that_is_no_text_is_skipped() -> None:
    found = rendered(chosen(1, IMAGE), chosen(2, IMAGE, says("three", "customer_service")))

    assert told(found) == [
        (1, "image", "passive", None, None),
        (2, "image", "passive", TAKEN, None),
        (2, "text", "customer_service", None, None),
    ]


def test_what_is_sent_later_leaves_the_response_free() -> None:
    found = rendered(chosen(1, says("one", "customer_service"), IMAGE))

    assert told(found) == [
        (1, "text", "customer_service", None, None),
        (1, "image", "passive", None, None),
    ]


def test_a_message_is_handed_over_to_an_agent_and_an_event_is_not() -> None:
    assert told(rendered(chosen(1, TRANSFER, says("two")))) == [
        (1, "transfer_customer_service", "passive", None, None),
        (1, "text", "customer_service", None, None),
    ]
    found = rendered(chosen(1, TRANSFER, says("two")), message=follow())
    assert [one.id for one in found] == [reply_id(KEY, 1795500000, place) for place in range(2)]
    assert told(found) == [
        (1, "transfer_customer_service", "passive", AGENT, None),
        (1, "text", "passive", None, None),
    ]


def test_a_reply_that_cannot_be_filled_in_fails_and_leaves_the_response_free() -> None:
    [first, second] = rendered(chosen(1, says("{1}"), says("two"), **{"1": " "}))

    assert first.failed is not None
    assert "nothing" in first.failed
    assert (first.skipped, first.reply) == (None, REPLY.validate_python(says("{1}")))
    assert (second.reply.via, second.failed) == ("passive", None)


def test_every_reply_has_the_id_of_its_place_whatever_became_of_those_before() -> None:
    replies = (IMAGE, IMAGE, says("{1}"), says("four"))
    found = rendered(chosen(1, *replies, **{"1": " "}), chosen(2, TRANSFER), message=follow())

    assert [one.id for one in found] == [reply_id(KEY, 1795500000, place) for place in range(5)]
    assert [one.rule.id for one in found] == [1, 1, 1, 1, 2]
    assert [bool(one.skipped or one.failed) for one in found] == [False, True, True, False, True]


def test_placeholders_hold_the_account_the_rule_the_reference_and_what_was_captured() -> None:
    [found] = rendered(chosen(7, says("{account} {rule} {ref} {1}"), **{"1": "words"}))

    reference = refs.of_reply(reply_id(KEY, 1795500000, 0))
    assert found.reply == REPLY.validate_python(says(f"{APPID} 7 {reference} words"))
    assert (found.failed, found.skipped) == (None, None)


def test_a_reply_in_which_nothing_was_filled_in_is_the_same_for_everybody() -> None:
    [plain, own] = rendered(chosen(1, says("plain"), says("{account}")))

    assert plain.content == REPLY.validate_python(says("plain")).model_dump_json()
    assert own.content is None


def test_pages_get_the_utm_parameters_of_the_rule() -> None:
    made = chosen(1, CARD)
    utm = Utm(source="oa")
    [found] = rendered(replace(made, rule=replace(made.rule, utm=utm)))

    assert found.reply == REPLY.validate_python({**CARD, "pagepath": "pages/a?utm_source=oa"})
    assert found.content is None
