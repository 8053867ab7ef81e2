"""Finds the rule that answers a tap on a button with a key."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from app.menus.button_types import TYPES
from app.menus.document import Button, SubButton
from app.rules.matching.rule_set import RuleSet
from app.wechat.ids import AppId
from app.wechat.inbound import Format, parse

NOBODY = "oNOBODY"


@dataclass(frozen=True, slots=True)
class AnsweringRule:
    """The first rule that may answer a tap."""

    rule_id: int
    name: str


def answering_rule(
    rules: RuleSet | None, appid: str, button: Button | SubButton, now: datetime
) -> AnsweringRule | None:
    """Return the rule that answers a tap, whoever taps; None if none does or the tap has no key."""
    if rules is None or button.type is None or not button.key:
        return None
    event = TYPES[button.type].event
    push = {
        "ToUserName": appid,
        "FromUserName": NOBODY,
        "CreateTime": int(now.timestamp()),
        "MsgType": "event",
        "Event": event,
        "EventKey": button.key,
    }
    message = parse(orjson.dumps(push).decode(), Format.JSON)
    found = rules.find(AppId(appid), message, now).rules
    return AnsweringRule(found[0].id, found[0].name) if found else None
