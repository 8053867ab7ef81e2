"""One import: how far it is, what it would change, and what became of it.

A worker reads, compares and imports; all that it finds out is stored. So the page can be left and
opened again, by its address or from the list of the latest imports.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Form, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.errors import NotFound
from app.console.render import render
from app.console.rules import field_labels, import_labels
from app.console.rules.editor import translate_for
from app.console.rules.import_page import redirect_to
from app.console.rules.phrases import in_language
from app.console.rules.router import router
from app.console.signed_in import Editor
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.ops import database_state
from app.rules.importing import import_store
from app.rules.importing.import_store import PREVIEWED
from app.rules.importing.models import RuleImport
from app.rules.importing.work_store import WORKING

MAX_VERSION: Final = 2**63 - 1


class ImportForm(BaseModel):
    """version: of the rules that the shown preview was compared with."""

    version: Annotated[int, Field(ge=0, le=MAX_VERSION)]


@router.get("/imports/{import_id}")
async def show_one_import(
    import_id: UUID, request: Request, _visitor: Editor, session: SessionDep
) -> Response:
    """Show an import: its progress, its preview, or its result."""
    found = await import_store.read(session, import_id)
    if found is None:
        raise NotFound
    is_working = found.state in WORKING
    return render(
        request,
        "rules/one_import.html",
        found=found,
        progress=found,
        is_working=is_working,
        is_previewed=found.state in PREVIEWED,
        lists=found.preview,
        skipped=_skipped(request, found),
        problems=_problems(request, found),
        no_worker=is_working and await _is_no_worker(session),
        texts=import_labels,
        fields=field_labels,
    )


@router.get("/imports/{import_id}/progress")
async def show_import_progress(
    import_id: UUID, request: Request, _visitor: Editor, session: SessionDep
) -> Response:
    """Show how far an import is; when a worker has done its part, the page is loaded again."""
    progress = await import_store.read_progress(session, import_id)
    if progress is None:
        raise NotFound
    is_working = progress.state in WORKING
    return render(
        request,
        "rules/import_progress.html",
        headers=None if is_working else {"HX-Refresh": "true"},
        progress=progress,
        is_working=is_working,
        no_worker=is_working and await _is_no_worker(session),
        texts=import_labels,
    )


@router.post("/imports/{import_id}")
async def begin_import(
    import_id: UUID,
    request: Request,
    visitor: Editor,
    form: Annotated[ImportForm, Form()],
    session: SessionDep,
) -> Response:
    """Let a worker make the changes of the preview that was shown. Asked twice, it does it once."""
    if await import_store.read_progress(session, import_id) is None:
        raise NotFound
    await import_store.let_import(session, import_id, actor_of(request, visitor), form.version)
    return redirect_to(request, import_id)


async def _is_no_worker(session: AsyncSession) -> bool:
    """Tell whether nobody would carry an import on."""
    found = await database_state.read_workers(await session.connection())
    return found.running == 0


def _skipped(request: Request, found: RuleImport) -> list[str]:
    translate = translate_for(request)
    return [in_language(line, translate) for line in (found.preview or {}).get("skipped", ())]


def _problems(request: Request, found: RuleImport) -> list[tuple[str, str]]:
    """Return where something is wrong, or nothing for the whole document, and what."""
    translate = translate_for(request)
    problems: Sequence[Mapping[str, Any]] = found.problems or ()
    return [(one["where"], in_language(one["msg"], translate)) for one in problems]
