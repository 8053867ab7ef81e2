"""Shows a row that is not a valid rule, with the reason, and lets its raw document be corrected."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import orjson
from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.messages import N_
from app.console.render import render
from app.console.rules import changes
from app.console.rules.check import checked
from app.console.rules.editor import translate_for
from app.console.rules.field_labels import named
from app.console.rules.list_page import Revision, RuleId
from app.console.rules.newer_revision import show_deleted, show_newer
from app.console.rules.notices import notice_of
from app.console.rules.phrases import in_language
from app.console.rules.router import router
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.rules import store
from app.rules.definition.schemas import BrokenRule
from app.rules.editing import edit

MAX_DOCUMENT_CHARACTERS: Final = 200_000
NOT_JSON: Final = N_("This is not an object in JSON: look for a missing quote, comma or bracket.")
CORRECTED: Final = N_("Somebody has corrected this rule meanwhile.")
GONE: Final = N_("Somebody has deleted this rule meanwhile.")


@router.post("/{rule_id}/document")
async def replace_document(
    request: Request,
    visitor: Editor,
    rule_id: RuleId,
    revision: Revision,
    document: Annotated[str, Form(max_length=MAX_DOCUMENT_CHARACTERS)] = "",
) -> Response:
    """Replace a row by the rule that was typed as JSON."""
    database: Database = request.app.state.database
    read = _read(document)
    if read is None:
        errors: Mapping[str, str] = {"document": translate_for(request)(NOT_JSON)}
        return await _again(request, rule_id, revision, document, errors)
    found = await checked(read, request.app.state.settings, translate_for(request))
    if found.rule is None:
        return await _again(request, rule_id, revision, document, found.errors)
    try:
        async with database.sessions.begin() as session:
            actor = actor_of(request, visitor)
            await changes.replace(session, rule_id, found.rule, actor, revision=revision)
    except edit.StaleRevision:
        return await show_newer(request, read, rule_id, found.rule)
    except edit.NoSuchRule:
        return await show_deleted(request, read)
    return RedirectResponse(console_path(f"/rules/{rule_id}?done=saved"), 303)


async def show_broken(
    request: Request, session: AsyncSession, rule: BrokenRule, done: str | None = None
) -> Response:
    """Return the page of a row that is not a valid rule."""
    stored = await store.document_of(session, rule.id)
    text = orjson.dumps(stored, option=orjson.OPT_INDENT_2).decode()
    problem = _in_words(request, rule)
    return _page(request, rule.id, rule.revision, text, problem=problem, done=done)


async def _again(
    request: Request, rule_id: int, revision: int, document: str, errors: Mapping[str, str]
) -> Response:
    """Show what was typed, with what is wrong with it. revision: the one that was corrected."""
    database: Database = request.app.state.database
    async with database.sessions() as session:
        found = await store.get(session, rule_id)
    translate = translate_for(request)
    if isinstance(found, BrokenRule):
        problem = _in_words(request, found)
    else:
        problem = translate(GONE if found is None else CORRECTED)
    return _page(request, rule_id, revision, document, problem=problem, errors=errors)


def _in_words(request: Request, rule: BrokenRule) -> str:
    """Return what is wrong with a rule; most of it is said of one member."""
    translate = translate_for(request)
    path, _, words = rule.problem.partition(": ")
    if not words or " " in path:
        return in_language(rule.problem, translate)
    return f"{named(path, translate)} – {in_language(words, translate)}"


def _page(
    request: Request,
    rule_id: int,
    revision: int,
    document: str,
    *,
    problem: str,
    done: str | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    return render(
        request,
        "rules/broken.html",
        status=422 if errors else 200,
        rule_id=rule_id,
        revision=revision,
        problem=problem,
        document=document,
        errors=errors or {},
        notice=notice_of(done),
    )


def _read(text: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
