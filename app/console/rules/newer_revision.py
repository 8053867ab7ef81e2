"""Shows the editor with what was typed when it can't be saved, since somebody was faster."""

from typing import Final

from fastapi import Request, Response

from app.console.messages import N_
from app.console.rules.editor import show_editor
from app.console.rules.form import Document
from app.console.rules.history import differences
from app.db.engine import Database
from app.rules import store
from app.rules.definition.schemas import RuleIn, RuleOut
from app.rules.editing import edit

DELETED: Final = N_("Somebody has deleted this rule meanwhile. Saving makes a new one of it.")


async def show_newer(
    request: Request, document: Document, rule_id: int, rule: RuleIn | None
) -> Response:
    """Show the newer revision beside what was typed; saving again replaces that one knowingly.

    document: as it was typed. rule: the same, if it is valid.
    """
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        present = await store.get(session, rule_id)
        raw = await store.document_of(session, rule_id)
    theirs = edit.columns(present) if isinstance(present, RuleOut) else raw
    return await show_editor(
        request,
        document,
        rule_id,
        present.revision if present is not None else None,
        status=409,
        newer=differences(theirs, document if rule is None else edit.columns(rule)),
    )


async def show_deleted(request: Request, document: Document) -> Response:
    """Show what was typed as a new rule, since the rule that it was to replace is deleted."""
    return await show_editor(request, document, None, None, warning=DELETED, status=409)
