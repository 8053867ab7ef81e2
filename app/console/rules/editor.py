"""Renders the editor of a rule, for every page that shows it."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response

from app.access.roles import Role
from app.console.language import language_of
from app.console.messages import translations
from app.console.render import render, zone_of
from app.console.rules import field_labels
from app.console.rules.check import repeated
from app.console.rules.labels import CONFLICTS
from app.console.rules.list_page import by_rule, conflicts_of
from app.console.rules.pictures import pictures_in
from app.console.rules.questions import ASKED
from app.console.rules.tabs import tab_of
from app.console.rules.views import left_over, rule_views
from app.console.visitor import visitor_of
from app.phrases import Translate
from app.rules.definition.accounts import receiving_accounts

WAIT_SECONDS: Final = 0.05


async def show_editor(
    request: Request,
    document: Mapping[str, Any],
    rule_id: int | None,
    revision: int | None,
    *,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
    **more: Any,  # noqa: ANN401 - values of the template
) -> Response:
    """Return the editor with a rule as it is being edited. errors: by path of the field."""
    settings = request.app.state.settings
    views = rule_views(document, errors or {}, zone_of(request))
    trigger = document.get("trigger")
    trigger = trigger if isinstance(trigger, dict) else {}
    keywords = trigger.get("keywords")
    conflicts = None if rule_id is None else await conflicts_of(request, wait=WAIT_SECONDS)
    values = {
        "notice": None,
        "warning": None,
        "newer": None,
        "stored": None,
        **more,
    }
    visitor = visitor_of(request)
    return render(
        request,
        "rules/editor.html",
        fragment="editor",
        status=status,
        views=views,
        document=document,
        rule_id=rule_id,
        revision=revision,
        errors=left_over(errors or {}, views),
        may_edit=visitor is not None and visitor.role.allows(Role.EDITOR),
        texts=field_labels,
        accounts=receiving_accounts(settings),
        mini_programs=sorted(settings.mini_programs),
        pictures=await asyncio.to_thread(pictures_in, settings.media_path),
        repeated=repeated(keywords) if isinstance(keywords, list | tuple) else [],
        conflicts=by_rule(conflicts or ()).get(rule_id or 0, []),
        conflict_labels=CONFLICTS,
        asked=ASKED,
        tab=tab_of(str(trigger.get("on"))),
        **values,
    )


def translate_for(request: Request) -> Translate:
    """Return what gives a message in the language of the operator."""
    return translations(language_of(request)).gettext
