"""Shows what the edited rule would have answered of the last messages."""

import asyncio
from typing import Final

from fastapi import Request, Response

from app.access.roles import Role
from app.callback import rule_hits
from app.console.render import render
from app.console.rules.check import parsed
from app.console.rules.draft import read_draft, with_rule
from app.console.rules.editor import translate_for
from app.console.rules.replay import MAX_PUSHES, Comparison, compare
from app.console.rules.router import router
from app.console.signed_in import Viewer
from app.db.engine import Database
from app.rules.background import background_work
from app.rules.definition.schemas import RuleIn
from app.rules.follower_reader import read_facts_of
from app.rules.matching.rule_set import RuleSet

TEMPLATE: Final = "rules/replay.html"


@router.post("/replay")
async def replay_draft(request: Request, visitor: Viewer) -> Response:
    """Judge the last messages by the rules as they are, and by the edited rule."""
    draft = await read_draft(request)
    rule, errors = parsed(draft.document, translate_for(request))
    live: RuleSet | None = await request.app.state.rules.newest()
    found, own = None, 0
    if rule is not None and live is not None:
        found, own = await _compared(request, live, draft.rule_id, rule)
    return render(
        request,
        TEMPLATE,
        fragment="answer",
        found=found,
        own=own,
        faults=len(errors),
        is_masked=not visitor.role.allows(Role.EDITOR),
    )


async def _compared(
    request: Request, live: RuleSet, rule_id: int | None, rule: RuleIn
) -> tuple[Comparison | None, int]:
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        pushes = await rule_hits.latest(session, MAX_PUSHES, rule.appid)
        facts = await read_facts_of(session, [(push.appid, push.openid) for push in pushes])
    settings = request.app.state.settings
    with background_work():
        edited, own = await asyncio.to_thread(with_rule, live, rule_id, rule, settings)
        if edited is None:
            return None, own
        found = await asyncio.to_thread(compare, pushes, facts, live, edited, own)
    return found, own
