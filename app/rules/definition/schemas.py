"""The JSON of rules, their pages and their revisions in `/api/rules`."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.api_model import ApiModel
from app.rules.definition.conditions import Conditions
from app.rules.definition.fields import Strict, Words, unset
from app.rules.definition.templates import ALWAYS_KNOWN, BadTemplate, placeholders_of, templates_of
from app.rules.definition.text_triggers import captures_of
from app.rules.definition.triggers import (
    FallbackTrigger,
    LocationTrigger,
    MsgMenuTrigger,
    TextTrigger,
    Trigger,
    UnsubscribeTrigger,
    UnsupportedTrigger,
)
from app.rules.definition.utm import Utm
from app.settings import APPID_PATTERN
from app.wechat.outbound import Message, Reply, TransferCustomerService
from app.wechat.outbound.code_mark import CODE

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

Replies = Annotated[
    tuple[Reply, ...],
    Field(max_length=MAX_REPLIES),
    AfterValidator(_one_passive),
]
CODE_MISPLACED: Final = (
    "has the placeholder {code}, and a code is taken when a message is sent, which the response to "
    'a push can\'t wait for: put it into the page of a card, or into a text with "via": '
    '"customer_service"'
)

RuleId = Annotated[StrictInt, Field(ge=1, le=2**63 - 1)]


ANSWERING_MESSAGES: Final = (
    TextTrigger,
    MsgMenuTrigger,
    UnsupportedTrigger,
    LocationTrigger,
    FallbackTrigger,
)


class RuleIn(Strict):
    """One keyword rule."""

    name: Annotated[Words, Field(max_length=MAX_NAME_CHARACTERS)]
    """For operators and reports; followers never see it."""
    appid: AppIdText | None = None
    """The account that it answers for; null for every account."""
    enabled: StrictBool = True
    """Whether it answers."""
    priority: Annotated[StrictInt, Field(ge=MIN_PRIORITY, le=MAX_PRIORITY)] = 100
    """Of several rules that match, the one with the higher number answers."""
    trigger: Trigger
    """What it waits for."""
    conditions: Conditions | None = Field(default=None, exclude_if=unset)
    """When it answers, and whom; null for always and everybody."""
    replies: Replies
    """Up to 10 replies in sending order, at most one of them with `"via": "passive"`; none for the
    trigger `unsubscribe`.
    """
    utm: Utm | None = Field(default=None, exclude_if=unset)
    """Query parameters that are added to every mini-program page that the replies open."""

    @model_validator(mode="after")
    def _replies_suit_the_trigger(self) -> Self:
        unfollows = isinstance(self.trigger, UnsubscribeTrigger)
        if unfollows and self.replies:
            raise PydanticCustomError(
                "misplaced",
                "must be empty: a follower who has just unfollowed can't be answered",
                {"field": "replies"},
            )
        if not unfollows and not self.replies:
            raise PydanticCustomError(
                "too_short", "is empty: add at least one reply", {"field": "replies"}
            )
        return self

    @model_validator(mode="after")
    def _only_messages_are_handed_over(self) -> Self:
        if isinstance(self.trigger, ANSWERING_MESSAGES):
            return self
        for number, reply in enumerate(self.replies):
            if isinstance(reply, TransferCustomerService):
                raise PydanticCustomError(
                    "misplaced",
                    "can't be used here: an agent takes over messages, not events; answer with "
                    "a text that asks the follower to write",
                    {"field": f"replies.{number}.msgtype"},
                )
        return self

    @model_validator(mode="after")
    def _placeholders_can_be_filled(self) -> Self:
        always = ALWAYS_KNOWN | captures_of(self.trigger)
        for field, template, may_take_code in _templates(self.replies):
            known = always | {CODE} if may_take_code else always
            try:
                unknown = sorted(placeholders_of(template) - known)
            except BadTemplate as error:
                raise PydanticCustomError(
                    "bad_template", "{reason}", {"field": field, "reason": str(error)}
                ) from None
            if unknown == [CODE]:
                raise PydanticCustomError("misplaced", CODE_MISPLACED, {"field": field})
            if unknown:
                raise PydanticCustomError(
                    "unknown_placeholder",
                    "has the placeholder {name}, which nothing fills: known are {known}; write "
                    "{{ and }} for braces",
                    {
                        "field": field,
                        "name": f"{{{unknown[0]}}}",
                        "known": ", ".join(f"{{{name}}}" for name in sorted(known)),
                    },
                )
        return self


def _templates(replies: Iterable[Message]) -> Iterator[tuple[str, str, bool]]:
    """Yield the path of each template, the template, and whether it may have `{code}`."""
    for number, reply in enumerate(replies):
        for member, template in templates_of(reply):
            may_take_code = reply.via == "customer_service" and member != "otherwise"
            yield f"replies.{number}.{member}", template, may_take_code


class RuleOut(RuleIn):
    """A stored rule."""

    id: RuleId
    """The id of the rule."""
    revision: int
    """The number of its changes; the next change names it in `If-Match`."""
    created_at: datetime
    """When it was added."""
    updated_at: datetime
    """When it was last changed."""


class RuleReplacement(RuleIn):
    """A rule that replaces a stored one.

    What only the service sets may stand in it as it was read, so that a rule can be sent back as
    `GET` returned it; a changed value is refused.
    """

    id: RuleId | None = None
    """As it was read, or left out."""
    revision: StrictInt | None = None
    """As it was read, or left out."""
    created_at: AwareDatetime | None = None
    """As it was read, or left out."""
    updated_at: AwareDatetime | None = None
    """As it was read, or left out."""


class BrokenRule(ApiModel):
    """A row that was changed outside this API and is no longer a valid rule; it never answers."""

    model_config = ConfigDict(frozen=True)

    id: RuleId
    """The id of the rule."""
    revision: int
    """Its revision, for `If-Match`."""
    problem: str
    """What is wrong with it."""


class RulePage(ApiModel):
    """A page of rules, ordered by id."""

    items: list[RuleOut]
    """The rules."""
    broken: list[BrokenRule]
    """Rows of this page that are not valid rules."""
    next: RuleId | None
    """Pass it as `after` for the next page; null on the last page."""
