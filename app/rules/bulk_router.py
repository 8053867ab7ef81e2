"""`/api/rules/export`, `/import` and `/conflicts`: all rules at once."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel

from app.db.session import SessionDep
from app.rules import conflicts, documents, edits, importing, store
from app.rules.conflicts import Conflict
from app.rules.documents import MAX_BYTES, MEDIA_TYPES, DocumentFormat
from app.rules.importing import Diff
from app.rules.preconditions import etag, operator_of, revisions_in
from app.rules.problems import ProblemRoute, Problems
from app.rules.schemas import BrokenRule, RuleOut

router = APIRouter(
    route_class=ProblemRoute,
    responses={422: {"model": Problems, "description": "What to correct, field by field"}},
)

_DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "object", "properties": {"rules": {"type": "array"}}}}
            for kind in MEDIA_TYPES.values()
        },
    }
}


class Conflicts(BaseModel):
    """Rules that get in each other's way. more: how many were left off the list."""

    items: list[Conflict]
    more: int


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {"content": {kind: {} for kind in MEDIA_TYPES.values()}},
        409: {"description": "Rules that were changed outside this API can't be exported"},
    },
)
async def export_rules(
    session: SessionDep, format: Annotated[DocumentFormat, Query()] = DocumentFormat.YAML
) -> Response:
    """Return every rule as one document, which `/import` takes back."""
    rows = await store.everything(session)
    rules = [row for row in rows if isinstance(row, RuleOut)]
    broken = [row.id for row in rows if isinstance(row, BrokenRule)]
    if broken:
        raise HTTPException(
            409,
            f"Rules {', '.join(map(str, broken[:20]))} were changed outside this API and can't "
            "be exported: PUT them anew, or DELETE them",
        )
    document = await asyncio.to_thread(documents.write, rules, format)
    name = f'attachment; filename="rules.{format}"'
    return Response(document, media_type=MEDIA_TYPES[format], headers={"Content-Disposition": name})


@router.post(
    "/import",
    response_model=Diff,
    openapi_extra=_DOCUMENT,
    responses={
        412: {"description": "The rules have been changed since the diff was shown"},
        413: {"description": "The document is too large"},
        415: {"description": "Neither YAML nor JSON"},
    },
)
async def import_rules(
    request: Request,
    session: SessionDep,
    dry_run: Annotated[bool, Query(description="Only show what would change")] = False,
    if_match: Annotated[
        str | None, Header(description="ETag of a dry run: apply what it showed, or nothing")
    ] = None,
) -> Response:
    """Put a document in the place of all rules, as a whole or not at all."""
    format = documents.format_of(request.headers.get("content-type", ""))
    if format is None:
        raise HTTPException(415, "Send the rules as application/yaml or application/json")
    document = await asyncio.to_thread(documents.read, await _body(request), format)
    rules = await importing.read_rules(document, request.app.state.settings)
    version = await edits.begin(session)
    expected = None if if_match is None else revisions_in(if_match)
    if expected is not None and version not in expected:
        raise HTTPException(
            412,
            "The rules have been changed since the dry run: look at a new one",
            headers={"ETag": etag(version)},
        )
    plan = await importing.plan_import(session, rules)
    if not dry_run:
        await importing.apply(session, plan, operator_of(request))
    headers = {"ETag": etag(await edits.version_now(session))}
    shown = await asyncio.to_thread(
        lambda: importing.diff(plan, version, dry_run=dry_run).model_dump_json()
    )
    return Response(shown, media_type="application/json", headers=headers)


@router.get("/conflicts")
async def list_conflicts(
    request: Request, session: SessionDep, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> Conflicts:
    """List enabled rules that can never answer, or that say the same."""
    now, most = request.app.state.clock.now(), request.app.state.settings.rules_per_message
    loaded = await store.load_all(session)
    found = await asyncio.to_thread(lambda: list(conflicts.find(loaded.rules, now, most)))
    return Conflicts(items=found[:limit], more=max(0, len(found) - limit))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise HTTPException(413, f"A document has at most {MAX_BYTES} bytes")
    return bytes(body)
