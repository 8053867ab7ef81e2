"""The question that an explanation answers: as the API takes it, and as `explain` takes it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self

import orjson
from pydantic import AfterValidator, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from app.rules.definition.accounts import main_account, receiving_accounts, unknown_account
from app.rules.definition.fields import Moment, Strict
from app.rules.definition.schemas import AppIdText
from app.rules.definition.validation_errors import InvalidRequest, Problem
from app.rules.matching.follower_facts import Facts
from app.rules.text.normalize import MAX_CHARACTERS
from app.settings import Settings
from app.wechat.errors import BadEnvelope
from app.wechat.ids import AppId, OpenId
from app.wechat.inbound import Format, Inbound, parse, subject_openid

DEFAULT_NEAR_MISSES: Final = 50
MAX_NEAR_MISSES: Final = 1000

ANYBODY: Final = OpenId("OPENID")
"""Stands for the sender of a message if the question names no follower."""

_NO_ACCOUNT: Final = "no account receives messages here: set WECHAT_APPID or ACCOUNTS_FILE"
_NO_ORIGINAL_ID: Final = "gh_ORIGINAL_ID"
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


def _in_wechat_range(at: datetime) -> datetime:
    if not _FIRST <= at < _END:
        raise ValueError("is not a time that WeChat could send: use one from 1970 to 9998")
    return at


class Question(Strict):
    """A text, or a message or event, whose answer is to be explained.

    An earlier time is judged with today's rules and facts, without follows and answers that came
    later.
    """

    appid: AppIdText | None = None
    """The account that gets the message; left out, the one of `WECHAT_APPID`, or else the first of
    the accounts that receive messages.
    """
    text: Annotated[str, Field(max_length=MAX_CHARACTERS)] | None = None
    """What the follower writes; in place of `message`."""
    message: dict[str, Any] | None = None
    """A message or event with members as WeChat names them (MsgType, Event, EventKey, …); in place
    of `text`.
    """
    openid: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """The follower who sends it, for the conditions. Left out, it may be anybody, and the
    explanation says what depends on the follower.
    """
    at: Annotated[Moment, AfterValidator(_in_wechat_range)] | None = None
    """The time of the message; left out, now."""
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_NEAR_MISSES)] = DEFAULT_NEAR_MISSES
    """How many near misses to list."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.message is None):
            raise PydanticCustomError(
                "missing_or_both", "give either text or message", {"field": "text"}
            )
        return self


@dataclass(frozen=True, slots=True)
class ExplainQuery:
    """A message at a time. facts: about the follower who sends it; None: it may be anybody."""

    appid: AppId
    message: Inbound
    facts: Facts | None
    now: datetime

    @property
    def openid(self) -> OpenId:
        """The sender of the message; ANYBODY if the question names none."""
        return subject_openid(self.message)


def account_of(question: Question, settings: Settings) -> AppId:
    """Return the account that gets the message of a question. Raises InvalidRequest."""
    receiving = receiving_accounts(settings)
    appid = main_account(settings) if question.appid is None else question.appid
    if appid is None:
        raise InvalidRequest([Problem(loc=["body", "appid"], msg=_NO_ACCOUNT, type="not_sendable")])
    if appid not in receiving:
        raise InvalidRequest([unknown_account(appid, receiving, "body")])
    return AppId(appid)


def message_of(question: Question, appid: AppId, now: datetime, settings: Settings) -> Inbound:
    """Return the message of a question as if WeChat had pushed it. Raises InvalidRequest.

    appid: see `account_of`.
    """
    account = settings.accounts.get(appid)
    members = {"MsgType": "text", "Content": question.text}
    if question.message is not None:
        members = {"MsgType": "event", **question.message}
    document = {
        "ToUserName": (account and account.original_id) or _NO_ORIGINAL_ID,
        "CreateTime": int(now.timestamp()),
        **members,
        "FromUserName": question.openid or ANYBODY,
    }
    try:
        return parse(orjson.dumps(document).decode(), Format.JSON)
    except (BadEnvelope, TypeError) as error:
        reason = getattr(error, "reason", "malformed")
        msg = f"can't be read ({reason}): write the members as WeChat does, such as Event"
        raise InvalidRequest([Problem(loc=["body", "message"], msg=msg, type="message")]) from None
