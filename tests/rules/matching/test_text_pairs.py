"""Which keyword fits which text: everything that compares them agrees with one table."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from app.rules.definition.schemas import RuleOut
from app.rules.explaining.explain import explain
from app.rules.explaining.question import ExplainQuery
from app.rules.importing.document import DocumentFormat, read_items, write
from app.rules.matching.account_index import text_of
from app.rules.matching.match_one import matches
from app.rules.matching.rule_set import Rule, compile_rules
from app.rules.store import rule_of
from app.wechat.ids import AppId
from app.wechat.inbound import Format, Inbound, parse
from app.wechat.visible_text import shows_nothing
from tests.rules.conflicts.test_detect import found
from tests.rules.makers import APPID, NOON, as_posted, text_rule
from tests.rules.matching.reference import fits
from tests.rules.names import code_points
from tools.print_text_pairs import TextPair, text_pairs

PAIRS = [pytest.param(pair, id=f"{pair.match} {pair.text!a}") for pair in text_pairs()]


def stored(pair: TextPair) -> RuleOut:
    stamps = {"created_at": NOON, "updated_at": NOON}
    posted = as_posted(trigger=pair.trigger)
    return RuleOut.model_validate({**posted, "id": 1, "revision": 1, **stamps})


def rule_for(pair: TextPair) -> Rule:
    return rule_of(1, stored(pair))


def pushed(text: str) -> Inbound:
    return parse(
        "<xml><FromUserName>o</FromUserName><CreateTime>1795500000</CreateTime>"
        f"<MsgType>text</MsgType><Content><![CDATA[{text}]]></Content></xml>",
        Format.XML,
    )


def test_there_are_more_than_fifty_pairs() -> None:
    assert len({(pair.match, pair.keywords, pair.text) for pair in text_pairs()}) > 50


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_fits_alike_wherever_it_is_compared(pair: TextPair) -> None:
    rule, message = rule_for(pair), pushed(pair.text)
    rules = compile_rules([rule], 1)

    live = rules.choose(AppId(APPID), message, None, NOON)
    told = explain(rules, (), ExplainQuery(AppId(APPID), message, None, NOON))
    switched_off = explain(
        compile_rules([], 1), [rule], ExplainQuery(AppId(APPID), message, None, NOON)
    )

    assert bool(live) == pair.fits
    assert bool(told.winners) == pair.fits
    assert bool(switched_off.near_misses) == pair.fits
    assert matches(rule.trigger, message, text_of(message)) == pair.fits
    assert fits(rule, message) == pair.fits


@pytest.mark.parametrize("written", list(DocumentFormat))
def test_rules_are_exported_and_imported_with_every_character_of_their_keywords(
    written: DocumentFormat,
) -> None:
    rules = [stored(pair) for pair in text_pairs()]

    items: list[Any] = [*read_items(BytesIO(write(rules, written)), written)]

    assert [item["trigger"] for item in items] == [
        rule.trigger.model_dump(mode="json", by_alias=True) for rule in rules
    ]


# No rule has the words of a sticker as its keyword: it is refused when it is saved.
@pytest.mark.parametrize(
    "pair",
    [one for one in text_pairs() if not shows_nothing(one.text) and one.group != "stickers"],
    ids=code_points,
)
def test_a_rule_shadows_one_for_the_text_alone_just_when_it_fits(pair: TextPair) -> None:
    better = replace(rule_for(pair), priority=500)

    conflicts = found(better, text_rule(2, "exact", pair.text, raw=True))

    assert bool(conflicts) == pair.fits
