"""A small set of rules of every kind, whose replies repeat what they can of a push."""

from typing import Any, Final

from pydantic import TypeAdapter

from app.rules.definition.rule import Rule
from app.rules.definition.triggers import Trigger
from app.rules.matching.rule_set import compile_rules
from app.wechat.outbound import REPLY

_TRIGGER: Final[TypeAdapter[Trigger]] = TypeAdapter(Trigger)
_TEXT: Final[dict[str, Any]] = {"msgtype": "text", "via": "passive"}
_CARD: Final[dict[str, Any]] = {
    "msgtype": "miniprogrampage",
    "title": "{0} {1}",
    "appid": "wx0000000000000002",
    "pagepath": "pages/a?ref={ref}&word={1}",
    "thumb": {"file": "shop.jpg"},
}
_RULES: Final[tuple[tuple[dict[str, Any], list[dict[str, Any]]], ...]] = (
    (
        {"on": "text", "match": "regex", "keyword": "(?P<all>shop(.{0,40}))", "voice": True},
        [{**_TEXT, "content": "{all} {1} {2} {rule} {account} {ref}"}],
    ),
    ({"on": "text", "match": "contains", "keyword": "商城"}, [{**_TEXT, "content": "ok"}]),
    ({"on": "unsupported"}, [{**_TEXT, "content": "sticker"}]),
    ({"on": "subscribe"}, [{**_TEXT, "content": "welcome"}]),
    ({"on": "scan", "scene": "shop"}, [{**_TEXT, "content": "scan"}]),
    ({"on": "click", "key": "shop"}, [{**_TEXT, "content": "click"}]),
    (
        {"on": "location", "latitude": 31, "longitude": 121, "radius_metres": 1000},
        [{**_TEXT, "content": "near"}],
    ),
    ({"on": "fallback"}, [{**_TEXT, "content": "fallback"}]),
)
RULES: Final = compile_rules(
    (
        Rule(
            number,
            f"Rule {number}",
            None,
            100,
            _TRIGGER.validate_python(trigger),
            tuple(map(REPLY.validate_python, replies)),
        )
        for number, (trigger, replies) in enumerate(_RULES, 1)
    ),
    version=1,
    most=3,
)
