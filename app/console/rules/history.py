"""Shows the revisions of a rule with their differences, and restores one."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.console.errors import NotFound
from app.console.render import render
from app.console.rules import changes, field_labels
from app.console.rules.labels import CHANGES
from app.console.rules.list_page import MAX_ID, RuleId
from app.console.rules.notices import notice_of
from app.console.rules.router import router
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.db.session import SessionDep
from app.rules import store
from app.rules.definition.validation_errors import InvalidRequest
from app.rules.editing import edit, revisions
from app.rules.editing.room import TooManyRules

PAGE_ROWS: Final = 20


class Difference(NamedTuple):
    """A member that differs. path: in the rule, with dots. None: it is not there."""

    path: str
    before: str | None
    after: str | None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the members in which two states of a rule differ. Pure."""
    old, new = dict(_flat(before)), dict(_flat(after))
    paths = [*old, *(path for path in new if path not in old)]
    return [
        Difference(path, old.get(path), new.get(path))
        for path in paths
        if old.get(path) != new.get(path)
    ]


@router.get("/{rule_id}/history")
async def show_history(
    request: Request,
    _visitor: Viewer,
    rule_id: RuleId,
    session: SessionDep,
    before: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    done: str | None = None,
) -> Response:
    """List the revisions of a rule, the newest first; also of a deleted rule."""
    found = await revisions.history(session, rule_id, before=before, limit=PAGE_ROWS + 1)
    if not found and not await revisions.existed(session, rule_id):
        raise NotFound
    present = await store.get(session, rule_id)
    shown = found[:PAGE_ROWS]
    return render(
        request,
        "rules/history.html",
        rule_id=rule_id,
        present=present,
        notice=notice_of(done),
        revisions=[
            (each, differences(older.rule if older else {}, each.rule) if older else None)
            for each, older in zip(shown, [*found[1:], None][: len(shown)], strict=True)
        ],
        change_labels=CHANGES,
        texts=field_labels,
        newest=f"/rules/{rule_id}/history" if before else None,
        older=f"/rules/{rule_id}/history?before={shown[-1].revision}"
        if len(found) > PAGE_ROWS
        else None,
    )


@router.post("/{rule_id}/restore")
async def restore_rule(
    request: Request,
    visitor: Editor,
    rule_id: RuleId,
    revision: Annotated[int, Form(ge=1, le=MAX_ID)],
    present: Annotated[int, Form(ge=0, le=MAX_ID)],
) -> Response:
    """Change a rule back to an earlier revision. present: the revision that was seen as present."""
    state = request.app.state
    database: Database = state.database
    try:
        async with database.sessions.begin() as session:
            await changes.restore_revision(
                session,
                rule_id,
                revision,
                actor_of(request, visitor),
                settings=state.settings,
                present=present,
            )
        told = "?done=restored"
    except revisions.NoSuchRevision:
        raise NotFound from None
    except edit.StaleRevision:
        told = "?done=stale"
    except TooManyRules:
        # A deleted rule has no other page.
        told = "/history?done=full"
    except (revisions.NoLongerValid, InvalidRequest):
        told = "/history?done=invalid"
    return RedirectResponse(console_path(f"/rules/{rule_id}{told}"), 303)


def _flat(part: Any, path: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    match part:
        case None:
            return
        case dict():
            for name, inner in part.items():
                yield from _flat(inner, f"{path}.{name}" if path else name)
        case list() | tuple():
            for number, inner in enumerate(part):
                yield from _flat(inner, f"{path}.{number}")
        case _:
            yield path, str(part)
