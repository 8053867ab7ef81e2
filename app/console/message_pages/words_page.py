"""Shows the words that no rule answers, one click from becoming a rule."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.callback import message_store, unanswered_words
from app.callback.unanswered_words import UnansweredWord
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.message_pages.query import Typed
from app.console.render import render
from app.console.signed_in import Viewer
from app.console.visitor import actor_of
from app.db.engine import Database
from app.db.session import SessionDep
from app.rules.background import background_work
from app.rules.definition.rule import Rule
from app.rules.explaining.question import ANYBODY
from app.rules.matching.rule_set import RuleSet
from app.wechat.ids import AppId
from app.wechat.inbound import Text

router = APIRouter(prefix="/words")

# What one person alone has sent may be about that person, so it is masked.
LEAST_PEOPLE: Final = 2


class WordQuery(BaseModel):
    """The filters. days: the last so many days; empty: as far back as is searched."""

    appid: Blank[Typed] = None
    days: Blank[Literal["1", "7", "30"]] = None


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[WordQuery, Query()]
) -> Response:
    """Show the words, the most frequent first."""
    now = request.app.state.clock.now()
    database: Database = request.app.state.database
    # The connection goes back before the rules are asked.
    async with database.sessions() as session:
        words = await unanswered_words.unanswered_words(
            session,
            appid=query.appid,
            since=None if query.days is None else now - timedelta(days=int(query.days)),
        )
    return render(
        request,
        "messages/words.html",
        fragment="results",
        query=query,
        words=[
            (one, rule) for one, rule in zip(words, await _rules_of(request, words), strict=True)
        ],
        least=LEAST_PEOPLE,
        most=unanswered_words.MAX_SEARCHED,
        longest=unanswered_words.MAX_CHARACTERS,
        accounts=[(appid, appid) for appid in request.app.state.settings.accounts],
        is_filtered=query != WordQuery(),
        new_rule=new_rule,
    )


@router.post("/{callback_id}/text")
async def show_word(
    callback_id: UUID, request: Request, visitor: Viewer, session: SessionDep
) -> Response:
    """Show a word that one person alone has sent."""
    row = await message_store.of_id(session, callback_id)
    if row is None:
        raise NotFound
    now = request.app.state.clock.now()
    subject = Subject(SubjectKind.MESSAGE, str(callback_id))
    actor = actor_of(request, visitor)
    await audit.record(session, actor, Action.MESSAGE_SHOWN, subject, now=now, after="text")
    return render(request, "shown.html", value=row.text or "")


async def _rules_of(request: Request, words: Sequence[UnansweredWord]) -> Sequence[Rule | None]:
    """Return the rule that answers each word by now; None where there is none, or it depends."""
    rules: RuleSet | None = await request.app.state.rules.newest()
    if rules is None:
        return [None for _ in words]
    now = request.app.state.clock.now()
    with background_work():
        return await asyncio.to_thread(lambda: [_rule_of(rules, one, now) for one in words])


def _rule_of(rules: RuleSet, word: UnansweredWord, now: datetime) -> Rule | None:
    """Return the best rule that answers a word from anybody; it has to be one in each account."""
    found = [_answering(rules, AppId(appid), word.word, now) for appid in word.appids]
    return found[0] if all(found) else None


def _answering(rules: RuleSet, appid: AppId, word: str, now: datetime) -> Rule | None:
    sent = Text(
        to_user="", from_user=ANYBODY, create_time=int(now.timestamp()), payload={}, content=word
    )
    chosen = rules.choose(appid, sent, None, now)
    return next((each.rule for each in chosen if not each.rule.is_fallback), None)


def new_rule(word: str) -> str:
    """Return the path of the form of a new rule with a keyword."""
    return f"/rules/new?{urlencode({'keyword': word})}"
