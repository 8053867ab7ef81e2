"""`/api/rules/export`, `/import` and `/conflicts`: routes that concern all rules."""

import asyncio
from functools import partial
from typing import IO, Annotated, Any, Final

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.background import BackgroundTask

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.db.session import SessionDep
from app.rules import store
from app.rules.background import background_work
from app.rules.conflicts import detect
from app.rules.conflicts.detect import Conflict
from app.rules.definition.schemas import BrokenRule, RuleOut
from app.rules.editing import edit
from app.rules.http import examples
from app.rules.http.if_match import etag, revisions_in
from app.rules.http.query_params import Parameters
from app.rules.importing import document, plan
from app.rules.importing.document import MEDIA_TYPES, DocumentFormat, Imported
from app.rules.importing.import_rules import ONE_AT_A_TIME, RulesChanged, run_import
from app.rules.importing.imported_rules import read_rules
from app.rules.importing.limits import MAX_BYTES
from app.rules.importing.plan import Diff
from app.rules.importing.scratch import scratch_file
from app.rules.matching.compile_valid import UnusableRule, compile_valid, unusable_rules
from app.settings import Settings

RETRY_SECONDS: Final = 10
PIECE_BYTES: Final = 64 * 1024
# It compiles all rules once more, which takes as much memory as those that answer.
_comparing: Final = asyncio.Lock()

router = APIRouter(route_class=BoundedRoute)

_REF: Final = "#/components/schemas/{model}"
_IMPORTED: Final = {
    "$ref": _REF.format(model=Imported.__name__),
    # The OpenAPI document moves them to the other schemas.
    "$defs": {
        Imported.__name__: {
            name: part
            for name, part in Imported.model_json_schema(ref_template=_REF).items()
            if name != "$defs"
        },
        **Imported.model_json_schema(ref_template=_REF)["$defs"],
    },
}
_DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _IMPORTED, "examples": examples.IMPORTS},
            "application/yaml": {
                "schema": {"$ref": _IMPORTED["$ref"]},
                "examples": examples.IMPORTS_AS_YAML,
            },
        },
    }
}


class _Export(Parameters):
    """The format of the export."""

    format: DocumentFormat = DocumentFormat.YAML
    """The format of the document."""


class _ImportParameters(Parameters):
    """Whether the import changes anything."""

    dry_run: bool = Field(
        default=False, description="Only show what would change, and change nothing"
    )


class _ConflictsPage(Parameters):
    """How many conflicts to list."""

    limit: int = Field(default=200, ge=1, le=1000)
    """At most so many conflicts."""


class Conflicts(ApiModel):
    """Rules that conflict with others."""

    items: list[Conflict]
    """The conflicts, in the order of the rules."""
    more: int
    """How many conflicts were left off the list."""
    left_out: list[UnusableRule]
    """Rules that were not compared, because they are invalid or do not compile."""


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {
            "description": "The rules, as `/import` takes them",
            "content": {
                "application/json": {"schema": {"$ref": _IMPORTED["$ref"]}},
                "application/yaml": {"schema": {"$ref": _IMPORTED["$ref"]}},
            },
        },
        409: {"description": "Rules that were changed outside this API can't be exported"},
    },
    openapi_extra=needs(ApiScope.RULES_READ),
)
async def export_rules(
    request: Request, session: SessionDep, parameters: Annotated[_Export, Query()]
) -> Response:
    """Return all rules as one document, which `/import` accepts."""
    file = scratch_file(request.app.state.settings.data_dir)
    try:
        with background_work():
            await _write(session, file, parameters.format)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    return StreamingResponse(
        iter(partial(file.read, PIECE_BYTES), b""),
        media_type=MEDIA_TYPES[parameters.format],
        headers={
            "Content-Disposition": f'attachment; filename="rules.{parameters.format}"',
            "Content-Length": str(size),
        },
        background=BackgroundTask(file.close),
    )


async def _write(session: AsyncSession, file: IO[bytes], format: DocumentFormat) -> None:
    """Write all rules to a file, so that many of them take no memory. Raises HTTPException."""
    writer = document.DocumentWriter(file, format)
    broken: list[int] = []
    async for rows in store.stream_all(session):
        broken += [row.id for row in rows if isinstance(row, BrokenRule)]
        if not broken:
            rules = [row for row in rows if isinstance(row, RuleOut)]
            await asyncio.to_thread(writer.add, rules)
    if broken:
        raise HTTPException(
            409,
            f"rules {', '.join(map(str, broken[:20]))} were changed outside this API and can't "
            "be exported: PUT corrected ones, or DELETE them",
        )
    await asyncio.to_thread(writer.end)


@router.post(
    "/import",
    response_model=Diff,
    openapi_extra=_DOCUMENT | needs(ApiScope.RULES_WRITE),
    responses={
        412: {"description": "The rules have been changed since the dry run"},
        413: {"description": "The document is too large"},
        415: {"description": "The document is neither YAML nor JSON"},
        429: {"description": "Another import is under way, or no valid bearer token too often"},
    },
)
async def import_rules(
    request: Request,
    session: SessionDep,
    parameters: Annotated[_ImportParameters, Query()],
    if_match: Annotated[
        str | None,
        Header(
            description="ETag of a dry run: the import is refused if the rules have changed since"
        ),
    ] = None,
) -> Response:
    """Replace all rules by those of a document, as a whole or not at all."""
    format = document.format_of(request.headers.get("content-type", ""))
    if format is None:
        raise HTTPException(415, "send the rules as application/yaml or application/json")
    if ONE_AT_A_TIME.locked():
        raise HTTPException(
            429,
            "another import is under way in this process: try again when it has ended",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    async with ONE_AT_A_TIME:
        with scratch_file(request.app.state.settings.data_dir) as body:
            await _receive(request, body)
            with background_work():
                return await _import(
                    request, session, body, format, if_match, dry_run=parameters.dry_run
                )


async def _import(
    request: Request,
    session: AsyncSession,
    body: IO[bytes],
    format: DocumentFormat,
    if_match: str | None,
    *,
    dry_run: bool,
) -> Response:
    rules = await asyncio.to_thread(read_rules, body, format, request.app.state.settings)
    try:
        done = await run_import(
            session,
            rules,
            actor_of(request),
            dry_run=dry_run,
            expected=None if if_match is None else revisions_in(if_match),
        )
        headers = {"ETag": etag(await edit.version_now(session))}
    except RulesChanged as changed:
        rules.close()
        raise HTTPException(
            412,
            "the rules have been changed since the dry run: make a new one",
            headers={"ETag": etag(changed.version)},
        ) from None
    except BaseException:
        rules.close()
        raise
    return StreamingResponse(
        plan.diff_as_json(done.plan, done.version, dry_run=dry_run),
        media_type="application/json",
        headers=headers,
        background=BackgroundTask(done.plan.close),
    )


@router.get(
    "/conflicts",
    openapi_extra=needs(ApiScope.RULES_READ),
    responses={
        429: {"description": "Conflicts are looked for already, or no valid bearer token too often"}
    },
)
async def list_conflicts(
    request: Request, session: SessionDep, page: Annotated[_ConflictsPage, Query()]
) -> Conflicts:
    """List enabled rules that can never answer, or whose trigger another rule has too.

    And those with a reply that opens a mini-program which is not configured.
    """
    settings: Settings = request.app.state.settings
    now, most = request.app.state.clock.now(), settings.rules_per_message
    if _comparing.locked():
        raise HTTPException(
            429,
            "the rules are being compared for another request in this process: try again later",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    async with _comparing:
        loaded = await store.load_all(session)
        with background_work():
            compiled = await asyncio.to_thread(compile_valid, loaded.rules, loaded.version, most)
            found = await asyncio.to_thread(
                lambda: list(detect.find(compiled.rules, now, settings.mini_programs))
            )
    return Conflicts(
        items=found[: page.limit],
        more=max(0, len(found) - page.limit),
        left_out=[*unusable_rules(loaded.broken), *compiled.broken],
    )


async def _receive(request: Request, body: IO[bytes]) -> None:
    """Write the body of a request to a file. Raises HTTPException."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BYTES:
            raise HTTPException(413, f"the document has more than {MAX_BYTES} bytes")
        await asyncio.to_thread(body.write, chunk)
    body.seek(0)
