"""`/api/rules/explain`: what would be answered, and why nothing else."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self

import orjson
from fastapi import APIRouter, Request
from pydantic import AfterValidator, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from app.db.session import SessionDep
from app.rules.definition.fields import Moment, Strict
from app.rules.definition.schemas import AppIdText
from app.rules.definition.validation_errors import InvalidRequest, Problem, Problems
from app.rules.editing.check_sendable import receiving_accounts, unknown_account
from app.rules.explaining.explain import DEFAULT_NEAR_MISSES
from app.rules.explaining.preview import ANYBODY
from app.rules.explaining.report import Explained, explain_message
from app.rules.http.error_route import ProblemRoute
from app.rules.http.query_params import NO_PARAMETERS
from app.rules.live import LiveRules
from app.rules.text.normalize import MAX_CHARACTERS
from app.settings import Settings
from app.wechat.errors import BadEnvelope
from app.wechat.ids import AppId
from app.wechat.inbound import Format, Inbound, parse

router = APIRouter(
    route_class=ProblemRoute,
    responses={422: {"model": Problems, "description": "What to correct, field by field"}},
)


MAX_NEAR_MISSES: Final = 1000
_NO_ORIGINAL_ID: Final = "gh_ORIGINAL_ID"
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


def _a_moment(at: datetime) -> datetime:
    if not _FIRST <= at < _END:
        raise ValueError("is no moment that WeChat could name: take one from 1970 to 9998")
    return at


class Question(Strict):
    """A text, or a message or event with members as WeChat names them (Event, EventKey, …).

    openid: of the follower, to judge conditions by what is known of them; left out, it may be
    anybody, and what depends on that is said. at: when; now if left out. An earlier moment is
    judged by today's rules and what is known today, without follows and answers that came later.
    limit: how many near misses to list.
    """

    appid: AppIdText
    text: Annotated[str, Field(max_length=MAX_CHARACTERS)] | None = None
    message: dict[str, Any] | None = None
    openid: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    at: Annotated[Moment, AfterValidator(_a_moment)] | None = None
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_NEAR_MISSES)] = DEFAULT_NEAR_MISSES

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.message is None):
            raise PydanticCustomError(
                "missing_or_both", "give either text or message", {"field": "text"}
            )
        return self


@router.post("/explain", dependencies=[NO_PARAMETERS])
async def explain_rules(question: Question, request: Request, session: SessionDep) -> Explained:
    """Say which rules would answer, with what, and why the near misses would not."""
    settings: Settings = request.app.state.settings
    now = question.at or request.app.state.clock.now()
    message = message_of(question, now, settings)
    live: LiveRules | None = getattr(request.app.state, "rules", None)
    return await explain_message(
        session,
        None if live is None else await live.newest(),
        AppId(question.appid),
        message,
        now,
        most=settings.rules_per_message,
        limit=question.limit,
    )


def message_of(question: Question, now: datetime, settings: Settings) -> Inbound:
    """Return the message as if WeChat had pushed it. Raises Refused."""
    receiving = receiving_accounts(settings)
    if question.appid not in receiving:
        raise InvalidRequest([unknown_account(question.appid, receiving, "body")])
    account = settings.accounts.get(question.appid)
    told = {"MsgType": "text", "Content": question.text}
    if question.message is not None:
        told = {"MsgType": "event", **question.message}
    document = {
        "ToUserName": (account and account.original_id) or _NO_ORIGINAL_ID,
        "CreateTime": int(now.timestamp()),
        **told,
        "FromUserName": question.openid or ANYBODY,
    }
    try:
        return parse(orjson.dumps(document).decode(), Format.JSON)
    except (BadEnvelope, TypeError) as error:
        reason = getattr(error, "reason", "malformed")
        msg = f"can't be read ({reason}): write the members as WeChat does, such as Event"
        raise InvalidRequest([Problem(loc=["body", "message"], msg=msg, type="message")]) from None
