"""From where rules can be imported: a file, or WeChat's own console; and the latest imports.

The document is stored, and a worker makes a preview of it: `one_import_page` shows it.
"""

import io
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from app.access.sessions import SignedIn
from app.console.messages import N_
from app.console.refusal import Refusal
from app.console.render import is_htmx, render
from app.console.rules import import_labels
from app.console.rules.editor import translate_for
from app.console.rules.router import router
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.db.engine import Database
from app.ops.api_body import BodyLimit
from app.rules.definition.accounts import receiving_accounts
from app.rules.importing import import_store
from app.rules.importing.byte_source import ByteSource
from app.rules.importing.document import DocumentFormat
from app.rules.importing.import_store import Origin, TooManyImports
from app.rules.importing.limits import MAX_BYTES
from app.rules.importing.models import ImportSource
from app.rules.importing.preview import storable
from app.rules.importing.receive import receive
from app.secret_box import secret_box
from app.wechat.api import WeChatApi
from app.wechat.client import ApiClient
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

IMPORT_LIMIT: Final = BodyLimit(MAX_BYTES + 1024 * 1024, seconds=300)
MAX_FILE_NAME: Final = 200

NO_FILE: Final = N_("Choose a file first.")
EMPTY: Final = N_("The file is empty. Choose another one.")
TOO_LARGE: Final = N_("The file has more than %(most)s MiB. Choose a smaller one.")
BUSY: Final = N_("Too many imports wait for a worker. Try again when one of them has ended.")


@router.get("/import")
async def show_import(request: Request, _visitor: Editor) -> Response:
    """Show from where rules can be imported, and the latest imports."""
    return await _page(request)


@router.post("/import")
async def import_file(request: Request, visitor: Editor) -> Response:
    """Let a worker say what the rules of a file would change."""
    translate = translate_for(request)
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return await _page(request, translate(NO_FILE), status=422)
        if not file.size:
            return await _page(request, translate(EMPTY), status=422)
        if file.size > MAX_BYTES:
            words = translate(TOO_LARGE) % {"most": MAX_BYTES // (1024 * 1024)}
            return await _page(request, words, status=413)
        format = DocumentFormat.JSON if file.filename.endswith(".json") else DocumentFormat.YAML
        name = storable(file.filename)[:MAX_FILE_NAME]
        origin = Origin(ImportSource.FILE, format, file_name=name)
        return await _begin(request, visitor, origin, file.file)


@router.post("/import/from-wechat")
async def import_from_wechat(request: Request, visitor: Editor) -> Response:
    """Let a worker say which automatic replies of WeChat's console would be added."""
    form = await request.form(max_files=0, max_fields=10)
    accounts = receiving_accounts(request.app.state.settings)
    chosen = str(form.get("account") or (accounts[0] if accounts else ""))
    if chosen not in accounts:
        words = translate_for(request)(N_("Choose an account."))
        return await _page(request, words, status=422)
    try:
        answer = await automatic_replies(request, AppId(chosen))
    except ApiError as error:
        return await _page(request, Refusal.of(request, error).words, status=502)
    origin = Origin(ImportSource.WECHAT, DocumentFormat.JSON, account=chosen)
    return await _begin(request, visitor, origin, io.BytesIO(orjson.dumps(answer)))


async def automatic_replies(request: Request, appid: AppId) -> dict[str, Any]:
    """Ask WeChat for the automatic replies of an account; no session is open. Raises ApiError."""
    state = request.app.state
    settings = state.settings
    async with ApiClient() as client:
        api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
        tokens = AccessTokens(
            state.database, api, settings.accounts, state.clock, secret_box(settings)
        )
        try:
            return await with_token(
                tokens, appid, api.current_autoreply_info, api="get_current_autoreply_info"
            )
        finally:
            await tokens.store()


def redirect_to(request: Request, import_id: UUID) -> Response:
    """Lead the browser to the page of an import."""
    path = console_path(f"/rules/imports/{import_id}")
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


async def _begin(
    request: Request, visitor: SignedIn, origin: Origin, document: ByteSource
) -> Response:
    state = request.app.state
    database: Database = state.database
    try:
        async with database.sessions.begin() as session:
            import_id = await receive(session, origin, document, visitor.name, state.clock.now())
    except TooManyImports:
        return await _page(request, translate_for(request)(BUSY), status=429)
    return redirect_to(request, import_id)


async def _page(request: Request, *problems: str, status: int = 200) -> Response:
    database: Database = request.app.state.database
    async with database.sessions() as session:
        imports = await import_store.latest(session)
    return render(
        request,
        "rules/import.html",
        fragment="problems",
        status=status,
        problems=problems,
        imports=imports,
        texts=import_labels,
        accounts=receiving_accounts(request.app.state.settings),
    )
