"""The test box: who answers a message, and why the others do not, while one types."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field, ValidationError

from app.console.language import language_of
from app.console.messages import N_, translations
from app.console.render import render
from app.console.rules import field_labels
from app.console.rules.check import parsed, repeated
from app.console.rules.draft import Draft, read_draft, with_rule
from app.console.rules.editor import translate_for
from app.console.rules.form import Document
from app.console.rules.phrases import in_language
from app.console.rules.questions import ASKED
from app.console.rules.router import router
from app.console.signed_in import Viewer
from app.db.engine import Database
from app.rules.background import background_work
from app.rules.definition.accounts import receiving_accounts
from app.rules.definition.schemas import RuleIn
from app.rules.definition.validation_errors import InvalidRequest, problems_in
from app.rules.explaining.explain import Compared
from app.rules.explaining.question import Question
from app.rules.explaining.report import Explained, explain_question
from app.rules.matching.rule_set import RuleSet

MAX_NEAR_MISSES: Final = 10
# The answer appears while one types, and every rule that is compared takes some ten microseconds.
MAX_COMPARED: Final = 4_000
NOT_LOADED: Final = N_("The rules are not loaded yet. Try again in a minute.")


class Trial(BaseModel):
    """What is asked. ask: what the follower does. openid: who; empty: anybody."""

    account: str = Field(default="", max_length=30)
    ask: str = Field(default="text", max_length=30)
    text: str = Field(default="", max_length=5000)
    openid: str = Field(default="", max_length=128)


@router.get("/try")
async def try_rules(
    request: Request, _visitor: Viewer, trial: Annotated[Trial, Query()]
) -> Response:
    """Say which rules answer, by the rules that are served."""
    return await _answer(request, trial, None)


@router.post("/try")
async def try_draft(request: Request, _visitor: Viewer) -> Response:
    """Say which rules answer if the edited rule were saved as it is now."""
    draft = await read_draft(request)
    fields = {name: draft.form.get(f"try.{name}", "")[:5000] for name in Trial.model_fields}
    fields["account"] = fields["account"] or draft.form.get("appid", "")
    try:
        trial = Trial.model_validate(fields)
    except ValidationError:
        trial = Trial()
    return await _answer(request, trial, draft)


async def _answer(request: Request, trial: Trial, draft: Draft | None) -> Response:
    translate = translate_for(request)
    state = request.app.state
    rule: RuleIn | None = None
    faults = 0
    if draft is not None:
        rule, errors = parsed(draft.document, translate)
        faults = len(errors)
    found, problems, own = None, [], None
    compared_all = True
    if trial.text or trial.ask != "text":
        live: RuleSet | None = await state.rules.newest()
        if live is None:
            problems = [translate(NOT_LOADED)]
        else:
            if rule is not None and draft is not None:
                with background_work():
                    edited, own = await asyncio.to_thread(
                        with_rule, live, draft.rule_id, rule, state.settings
                    )
                live = edited or live
            compared_all = live.count <= MAX_COMPARED
            found, problems = await _explained(request, trial, live, own)
    return render(
        request,
        "rules/try.html",
        fragment="answer",
        trial=trial,
        found=found,
        problems=problems,
        own=own,
        most_compared=None if compared_all else MAX_COMPARED,
        faults=faults,
        is_draft=draft is not None,
        is_off=rule is not None and not rule.enabled,
        repeated=_repeated(draft.document if draft is not None else {}),
        reason=lambda text: in_language(text, translate),
        asked=ASKED,
        texts=field_labels,
        accounts=receiving_accounts(state.settings),
        summary=summary_of,
    )


async def _explained(
    request: Request, trial: Trial, rules: RuleSet, own: int | None
) -> tuple[Explained | None, list[str]]:
    state, translate = request.app.state, translations(language_of(request)).gettext

    async def served() -> RuleSet | None:
        return rules

    accounts = receiving_accounts(state.settings)
    asked = ASKED.get(trial.ask, ASKED["text"])
    database: Database = state.database
    try:
        question = Question.model_validate(
            {
                "appid": trial.account or (accounts[0] if accounts else ""),
                "message": dict(asked.members(trial.text.strip())),
                "openid": trial.openid or None,
                "limit": MAX_NEAR_MISSES,
            }
        )
        async with database.sessions.begin() as session:
            now = state.clock.now()
            found = await explain_question(
                session,
                question,
                now,
                state.settings,
                served=served,
                compared=Compared(MAX_COMPARED, own),
            )
    except ValidationError as error:
        problems = problems_in(error.errors(include_url=False, include_input=False))
        return None, [in_language(problem.msg, translate) for problem in problems]
    except InvalidRequest as invalid:
        return None, [in_language(problem.msg, translate) for problem in invalid.problems]
    return found, []


def summary_of(reply: Mapping[str, Any]) -> str:
    """Return what a follower reads first of a reply."""
    for name in ("content", "title", "head_content", "article_id", "card_id"):
        if reply.get(name):
            return str(reply[name])
    articles = reply.get("articles")
    if articles:
        return str(articles[0].get("title", ""))
    media = reply.get("media") or reply.get("thumb") or {}
    return str(next(iter(media.values()), ""))


def _repeated(document: Document) -> list[tuple[str, list[int]]]:
    trigger = document.get("trigger")
    keywords = trigger.get("keywords") if isinstance(trigger, dict) else None
    return repeated(keywords) if isinstance(keywords, list) else []
