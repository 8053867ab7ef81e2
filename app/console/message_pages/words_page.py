"""Shows the words that no rule answers, one click from becoming a rule."""

from datetime import timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.callback import message_store, unanswered_words
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.message_pages.query import Typed
from app.console.render import render
from app.console.signed_in import Viewer
from app.console.visitor import actor_of
from app.db.session import SessionDep

router = APIRouter(prefix="/words")

# What one person alone has sent may be about that person, so it is masked.
LEAST_PEOPLE: Final = 2


class WordQuery(BaseModel):
    """The filters. days: the last so many days; empty: as far back as is searched."""

    appid: Blank[Typed] = None
    days: Blank[Literal["1", "7", "30"]] = None


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[WordQuery, Query()], session: SessionDep
) -> Response:
    """Show the words, the most frequent first."""
    now = request.app.state.clock.now()
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
        words=words,
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


def new_rule(word: str) -> str:
    """Return the path of the form of a new rule with a keyword."""
    return f"/rules/new?{urlencode({'keyword': word})}"
