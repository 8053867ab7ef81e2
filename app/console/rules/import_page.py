"""Imports rules from a file, or from WeChat's own console; always as a preview first.

Nothing is kept between the preview and the import: the same source is read again, and the import is
refused if it, or the rules, have changed meanwhile.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

import httpx
import orjson
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from app.access.actor import Actor
from app.access.sessions import SignedIn
from app.console.messages import N_
from app.console.refusal import Refusal
from app.console.render import is_htmx, render
from app.console.rules import changes, field_labels
from app.console.rules.editor import translate_for
from app.console.rules.phrases import in_language
from app.console.rules.router import router
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.ops.api_body import BodyLimit
from app.rules.background import background_work
from app.rules.definition.accounts import receiving_accounts
from app.rules.definition.validation_errors import InvalidRequest
from app.rules.editing.check_replies import unsendable
from app.rules.importing import plan
from app.rules.importing.console import rules_from_console
from app.rules.importing.document import DocumentFormat
from app.rules.importing.import_rules import ONE_AT_A_TIME, RulesChanged, run_import
from app.rules.importing.imported_rules import ImportedRules, read_rules
from app.rules.importing.limits import MAX_BYTES
from app.rules.importing.plan import Diff, Plan
from app.secret_box import secret_box
from app.wechat.api import WeChatApi
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

IMPORT_LIMIT: Final = BodyLimit(MAX_BYTES + 1024 * 1024, seconds=300)
MAX_SHOWN: Final = 200

NO_FILE: Final = N_("Choose a file first.")
BUSY: Final = N_("Another import is under way. Try again when it has ended.")
CHANGED: Final = N_("The rules or the source have changed since the preview. Look at the new one.")


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported. digest: of its bytes. add_only: stored rules stay as they are.

    skipped: one line for each thing that can't be imported.
    """

    rules: ImportedRules
    digest: str
    add_only: bool
    skipped: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import changes."""

    diff: Diff
    skipped: Sequence[str]
    digest: str


@router.get("/import")
async def show_import(request: Request, _visitor: Editor) -> Response:
    """Show from where rules can be imported."""
    return _page(request)


@router.post("/import")
async def import_file(request: Request, visitor: Editor) -> Response:
    """Show what the rules of a file would change, or import them."""
    if ONE_AT_A_TIME.locked():
        return _page(request, problems=[translate_for(request)(BUSY)], status=429)
    async with ONE_AT_A_TIME, request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return _page(request, problems=[translate_for(request)(NO_FILE)], status=422)
        format = DocumentFormat.JSON if file.filename.endswith(".json") else DocumentFormat.YAML
        settings = request.app.state.settings
        try:
            with background_work():
                digest = await asyncio.to_thread(_digest, file.file)
                rules = await asyncio.to_thread(read_rules, file.file, format, settings)
        except InvalidRequest as invalid:
            return _page(request, problems=_words(request, invalid), status=422)
        source = Source(rules, digest, add_only=False)
        return await _preview_or_import(request, visitor, source, form)


@router.post("/import/from-wechat")
async def import_from_wechat(request: Request, visitor: Editor) -> Response:
    """Show which automatic replies of WeChat's console would be added, or add them."""
    translate = translate_for(request)
    form = await request.form(max_files=0, max_fields=10)
    accounts = receiving_accounts(request.app.state.settings)
    chosen = str(form.get("account") or (accounts[0] if accounts else ""))
    if chosen not in accounts:
        return _page(request, problems=[translate(N_("Choose an account."))], status=422)
    try:
        answer = await automatic_replies(request, AppId(chosen))
    except ApiError as error:
        return _page(request, problems=[Refusal.of(request, error).words], status=502)
    source = _from_console(answer, chosen, request)
    return await _preview_or_import(request, visitor, source, form)


async def automatic_replies(request: Request, appid: AppId) -> dict[str, Any]:
    """Ask WeChat for the automatic replies of an account; no session is open. Raises ApiError."""
    state = request.app.state
    settings = state.settings
    async with httpx.AsyncClient() as client:
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


def _from_console(answer: dict[str, Any], appid: str, request: Request) -> Source:
    conversion = rules_from_console(answer, appid)
    kept = []
    for rule in conversion.rules:
        reasons = [
            reason for _, reason in unsendable(rule, request.app.state.settings.mini_programs)
        ]
        if reasons:
            conversion.skip(rule.name, "; ".join(reasons))
        else:
            kept.append(rule)
    digest = hashlib.sha256(orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Source(ImportedRules.of(kept), digest, add_only=True, skipped=conversion.skipped)


async def _preview_or_import(
    request: Request,
    visitor: SignedIn,
    source: Source,
    form: Any,  # noqa: ANN401 - of Starlette
) -> Response:
    """Import if the form has the version and the digest of a preview that still holds."""
    version = str(form.get("version") or "")
    problems: list[str] = []
    try:
        if version.isdigit() and form.get("action") == "import":
            if form.get("digest") == source.digest:
                await _import(request, visitor, source, int(version))
                return _done(request)
            problems = [translate_for(request)(CHANGED)]
    except RulesChanged:
        problems = [translate_for(request)(CHANGED)]
    except InvalidRequest as invalid:
        source.rules.close()
        return _page(request, problems=_words(request, invalid), status=422)
    return await _preview(request, source, actor_of(request, visitor), problems)


async def _import(request: Request, visitor: SignedIn, source: Source, version: int) -> None:
    state = request.app.state
    database: Database = state.database
    with background_work():
        async with database.sessions.begin() as session:
            done = await changes.import_rules(
                session,
                source.rules,
                actor_of(request, visitor),
                add_only=source.add_only,
                version=version,
            )
    done.plan.close()


async def _preview(
    request: Request, source: Source, actor: Actor, problems: Sequence[str]
) -> Response:
    database: Database = request.app.state.database
    try:
        with background_work():
            async with database.sessions.begin() as session:
                done = await run_import(
                    session, source.rules, actor, dry_run=True, add_only=source.add_only
                )
            diff, skipped = await asyncio.to_thread(_told, done.plan, done.version)
    except InvalidRequest as invalid:
        source.rules.close()
        return _page(request, problems=_words(request, invalid), status=422)
    translate = translate_for(request)
    lines = [in_language(line, translate) for line in (*source.skipped, *skipped)]
    preview = Preview(diff, lines, source.digest)
    return _page(
        request,
        preview=preview,
        problems=problems,
        status=409 if problems else 200,
        form_id="from-wechat" if source.add_only else "from-file",
    )


def _told(made: Plan, version: int) -> tuple[Diff, list[str]]:
    told = plan.diff(made, version, dry_run=True), list(plan.skipped(made))
    made.close()
    return told


def _digest(stream: IO[bytes]) -> str:
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # has all that it needs
    stream.seek(0)
    return digest


def _words(request: Request, invalid: InvalidRequest) -> list[str]:
    translate = translate_for(request)
    return [
        f"{'.'.join(str(part) for part in problem.loc if part != 'body')}: "
        f"{in_language(problem.msg, translate)}"
        for problem in invalid.problems
    ]


def _done(request: Request) -> Response:
    path = console_path("/rules?done=imported")
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def _page(
    request: Request,
    *,
    preview: Preview | None = None,
    problems: Sequence[str] = (),
    status: int = 200,
    form_id: str = "",
) -> Response:
    return render(
        request,
        "rules/import.html",
        fragment="preview",
        status=status,
        preview=preview,
        problems=problems[:MAX_SHOWN],
        form_id=form_id,
        texts=field_labels,
        most=MAX_SHOWN,
        accounts=receiving_accounts(request.app.state.settings),
    )
