"""A rule as `/api/rules` takes and returns it."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
)

from app.rules.triggers import Trigger, Words
from app.settings import APPID_PATTERN
from app.wechat.outbound import Message, Reply

MAX_REPLIES = 10
MAX_NAME_CHARACTERS = 200

# A 32-bit integer, which every client of the API can hold.
MIN_PRIORITY, MAX_PRIORITY = -(2**31), 2**31 - 1


def _an_appid(appid: str) -> str:
    if re.fullmatch(APPID_PATTERN, appid) is None:
        raise ValueError(
            "is not an AppID (wx and 16 digits or letters a to f): copy it from the account's "
            "console page, or use null for every account"
        )
    return appid


def _not_empty(replies: tuple[Message, ...]) -> tuple[Message, ...]:
    if not replies:
        raise ValueError("is empty: add at least one reply")
    return replies


def _one_passive(replies: tuple[Message, ...]) -> tuple[Message, ...]:
    passive = [number for number, reply in enumerate(replies) if reply.via == "passive"]
    if len(passive) > 1:
        raise ValueError(
            f"{passive[0]} and {passive[1]} are both passive, and WeChat takes one passive reply: "
            'give the others "via": "customer_service"'
        )
    return replies


AppIdText = Annotated[
    str, AfterValidator(_an_appid), Field(json_schema_extra={"pattern": APPID_PATTERN})
]

# Not min_length: it would call a list empty whose only reply is wrong.
Replies = Annotated[
    tuple[Reply, ...],
    Field(max_length=MAX_REPLIES, json_schema_extra={"minItems": 1}),
    AfterValidator(_not_empty),
    AfterValidator(_one_passive),
]
RuleId = Annotated[StrictInt, Field(ge=1, le=2**63 - 1)]


class RuleIn(BaseModel):
    """One keyword rule.

    appid: the account it answers for; null means every account. priority: the higher one wins.
    replies: up to 10 in sending order, at most one of them with `"via": "passive"`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Words, Field(max_length=MAX_NAME_CHARACTERS)]
    appid: AppIdText | None = None
    enabled: StrictBool = True
    priority: Annotated[StrictInt, Field(ge=MIN_PRIORITY, le=MAX_PRIORITY)] = 100
    trigger: Trigger
    replies: Replies


class RuleOut(RuleIn):
    """A stored rule."""

    id: RuleId
    created_at: datetime
    updated_at: datetime


class BrokenRule(BaseModel):
    """A row that was changed outside this API and is no rule any more; it answers nobody."""

    model_config = ConfigDict(frozen=True)

    id: RuleId
    problem: str


class RulePage(BaseModel):
    """Rules by id. next: pass it as `after` for the next page; null on the last one."""

    items: list[RuleOut]
    broken: list[BrokenRule]
    next: RuleId | None
