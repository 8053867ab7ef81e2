"""Shows a stored rule. Its route would match the names of the others, so it is added last."""

from fastapi import Request, Response

from app.console.errors import NotFound
from app.console.rules.broken_page import show_broken
from app.console.rules.editor import show_editor
from app.console.rules.list_page import RuleId
from app.console.rules.notices import notice_of
from app.console.rules.router import router
from app.console.signed_in import Viewer
from app.db.engine import Database
from app.rules import store
from app.rules.definition.schemas import BrokenRule
from app.rules.editing import edit


@router.get("/{rule_id}")
async def show_rule(
    request: Request, _visitor: Viewer, rule_id: RuleId, done: str | None = None
) -> Response:
    """Show a rule in its editor; a viewer can change nothing in it."""
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        found = await store.get(session, rule_id)
        if isinstance(found, BrokenRule):
            return await show_broken(request, session, found, done)
    if found is None:
        raise NotFound
    return await show_editor(
        request, edit.columns(found), rule_id, found.revision, notice=notice_of(done), stored=found
    )
