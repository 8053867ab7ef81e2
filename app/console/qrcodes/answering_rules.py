"""Which rules answer the scan of a code, and a follow by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from app.qrcodes.models import QrCode
from app.rules.explaining.question import Question, message_of
from app.rules.matching.rule_set import Rule, RuleSet
from app.settings import Settings
from app.wechat.ids import AppId

MAX_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class AnsweringRules:
    """The rules whose triggers match, best first, MAX_SHOWN at most; conditions may refuse them."""

    scan: Sequence[Rule]
    follow: Sequence[Rule]


def answering_rules(
    rules: RuleSet | None, code: QrCode, now: datetime, settings: Settings
) -> AnsweringRules:
    """Return the rules of a code. rules: None while none are loaded."""
    if rules is None:
        return AnsweringRules((), ())
    found = []
    for event, key in (("SCAN", code.scene), ("subscribe", f"qrscene_{code.scene}")):
        question = Question(
            appid=code.appid, message={"MsgType": "event", "Event": event, "EventKey": key}
        )
        message = message_of(question, AppId(code.appid), now, settings)
        found.append(tuple(islice(rules.matching(AppId(code.appid), message), MAX_SHOWN)))
    return AnsweringRules(*found)
