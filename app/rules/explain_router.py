"""`/api/rules/explain`: what would be answered, and why nothing else."""

from datetime import datetime
from typing import Annotated, Any, Self

import orjson
from fastapi import APIRouter, Request
from pydantic import AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from app.db.session import SessionDep
from app.rules import explained
from app.rules.explained import Explained, explain_message
from app.rules.problems import Problem, ProblemRoute, Problems, Refused
from app.rules.schemas import AppIdText
from app.rules.typed import MAX_CHARACTERS
from app.rules.words import Strict
from app.settings import Settings
from app.wechat.errors import BadEnvelope
from app.wechat.ids import AppId
from app.wechat.inbound import Format, Inbound, parse

router = APIRouter(
    route_class=ProblemRoute,
    responses={422: {"model": Problems, "description": "What to correct, field by field"}},
)


class Question(Strict):
    """A text, or a message or event with members as WeChat names them (Event, EventKey, …).

    openid: of the follower, to judge conditions by what is known of them. at: when; now if left
    out.
    """

    appid: AppIdText
    text: Annotated[str, Field(max_length=MAX_CHARACTERS)] | None = None
    message: dict[str, Any] | None = None
    openid: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.message is None):
            raise PydanticCustomError(
                "missing_or_both", "give either text or message", {"field": "text"}
            )
        return self


@router.post("/explain")
async def explain_rules(question: Question, request: Request, session: SessionDep) -> Explained:
    """Say which rules would answer, with what, and why the near misses would not."""
    settings: Settings = request.app.state.settings
    now = question.at or request.app.state.clock.now()
    live = getattr(request.app.state, "rules", None)
    return await explain_message(
        session,
        None if live is None else live.current,
        AppId(question.appid),
        message_of(question, now),
        now,
        most=settings.rules_per_message,
    )


def message_of(question: Question, now: datetime) -> Inbound:
    """Return the message as if WeChat had pushed it. Raises Refused."""
    told = {"MsgType": "text", "Content": question.text}
    if question.message is not None:
        told = {"MsgType": "event", **question.message}
    document = {
        "ToUserName": "",
        "CreateTime": int(now.timestamp()),
        **told,
        "FromUserName": question.openid or explained.NOBODY,
    }
    try:
        return parse(orjson.dumps(document).decode(), Format.JSON)
    except (BadEnvelope, TypeError) as error:
        reason = getattr(error, "reason", "malformed")
        msg = f"can't be read ({reason}): write the members as WeChat does, such as Event"
        raise Refused([Problem(loc=["body", "message"], msg=msg, type="message")]) from None
