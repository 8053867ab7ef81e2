"""Shows the editor of a rule, changes what is in it, and saves it."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import is_htmx
from app.console.rules import changes
from app.console.rules.check import checked, errors_of
from app.console.rules.draft import UPLOAD, Draft, read_draft
from app.console.rules.editor import show_editor, translate_for
from app.console.rules.fields import REPLIES, TRIGGERS
from app.console.rules.form import Document, act, put_file
from app.console.rules.newer_revision import show_deleted, show_newer
from app.console.rules.phrases import in_language
from app.console.rules.pictures import upload
from app.console.rules.router import router
from app.console.rules.tabs import TABS
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.phrases import Translate
from app.rules.definition.event_triggers import MAX_SCENE_CHARACTERS
from app.rules.definition.text_triggers import MAX_KEYWORD_CHARACTERS
from app.rules.editing import edit
from app.rules.editing.room import TooManyRules
from app.wechat_client.errors import BadPicture

WAIT_SECONDS: Final = 0.05


class NewRule(BaseModel):
    """What a new rule begins with."""

    tab: Blank[str] = Field(default=None, max_length=20)
    on: Blank[str] = Field(default=None, max_length=30)
    reply: Blank[str] = Field(default=None, max_length=30)
    keyword: Blank[str] = Field(default=None, max_length=MAX_KEYWORD_CHARACTERS)
    account: Blank[str] = Field(default=None, max_length=30)
    scene: Blank[str] = Field(default=None, max_length=MAX_SCENE_CHARACTERS)


@router.get("/new")
async def new_rule(
    request: Request, _visitor: Editor, query: Annotated[NewRule, Query()]
) -> Response:
    """Show an editor for a new rule. Its address may name a keyword, as that of a list of words."""
    return await show_editor(request, _beginning(query), None, None)


def _beginning(query: NewRule) -> Document:
    on = query.on
    if on not in TRIGGERS:
        on = TABS[query.tab].kinds[0] if query.tab in TABS else "text"
    trigger: Document = {"on": on}
    if on == "text":
        trigger |= {"match": "any", "keywords": [query.keyword] if query.keyword else []}
    if on in {"scan", "subscribe"} and query.scene:
        trigger["scene"] = query.scene
    msgtype = query.reply if query.reply in REPLIES else "text"
    reply = {"msgtype": msgtype, "via": "passive" if msgtype == "text" else "customer_service"}
    return {
        "enabled": True,
        "priority": 100,
        "name": query.keyword or query.scene,
        "appid": query.account,
        "trigger": trigger,
        "replies": [] if on == "unsubscribe" else [reply],
    }


@router.post("/edit")
async def edit_rule(request: Request, visitor: Editor) -> Response:
    """Do what a button of the editor says: save, or only change the form."""
    draft = await read_draft(request)
    if draft.action == "save":
        return await _save(request, visitor, draft)
    document = draft.document
    errors: Mapping[str, str] = {}
    if draft.action.startswith(UPLOAD):
        errors = await _upload(request, draft, document)
    else:
        document = act(document, draft.action, draft.form)
    return await show_editor(request, document, draft.rule_id, draft.revision, errors=errors)


async def _save(request: Request, visitor: Editor, draft: Draft) -> Response:
    state = request.app.state
    found = await checked(draft.document, state.settings, translate_for(request))
    if found.rule is None:
        return await show_editor(
            request,
            draft.document,
            draft.rule_id,
            draft.revision,
            errors=found.errors,
            status=422,
        )
    actor = actor_of(request, visitor)
    database: Database = state.database
    try:
        async with database.sessions.begin() as session:
            if draft.rule_id is None:
                saved = await changes.add(session, found.rule, actor)
            else:
                saved = await changes.replace(
                    session,
                    draft.rule_id,
                    found.rule,
                    actor,
                    revision=draft.revision or 0,
                )
    except TooManyRules as full:
        return await show_editor(
            request,
            draft.document,
            draft.rule_id,
            draft.revision,
            errors=errors_of(full.problems, translate_for(request)),
            status=422,
        )
    except edit.StaleRevision:
        return await show_newer(request, draft.document, draft.rule_id or 0, found.rule)
    except edit.NoSuchRule:
        return await show_deleted(request, draft.document)
    return _to(request, f"/rules/{saved.id}?done=saved")


async def _upload(request: Request, draft: Draft, document: Document) -> Mapping[str, str]:
    """Keep the picture that was chosen beside a field, and fill in its name."""
    path = draft.action.removeprefix(UPLOAD)
    translate = translate_for(request)
    if draft.upload is None:
        return {path: translate(N_("Choose a picture first."))}
    try:
        name = await upload(request.app.state.settings.media_path, draft.upload)
    except BadPicture as error:
        return {path: in_words(error, translate)}
    put_file(document, path, name)
    return {}


def in_words(error: BadPicture, translate: Translate) -> str:
    """Return what is wrong with a picture."""
    return in_language(str(error), translate)


def _to(request: Request, path: str) -> Response:
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": console_path(path)})
    return RedirectResponse(console_path(path), 303)
