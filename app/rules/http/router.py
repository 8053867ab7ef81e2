"""`/api/rules`: reading and editing single rules, and their revisions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request, Response
from pydantic import Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.db.session import SessionDep
from app.rules import store
from app.rules.definition.schemas import BrokenRule, RuleIn, RuleOut, RulePage
from app.rules.definition.validation_errors import Problems
from app.rules.editing import edit, restore, revisions
from app.rules.editing.check_sendable import require_sendable
from app.rules.editing.schemas import Revisions
from app.rules.http import bulk_router, explain_router
from app.rules.http.error_route import ProblemRoute
from app.rules.http.if_match import etag, etag_of, required
from app.rules.http.query_params import NO_PARAMETERS, Parameters
from app.settings import APPID_PATTERN

MAX_ID = 2**63 - 1
MAX_PAGE = 200

RuleId = Annotated[int, Path(ge=1, le=MAX_ID, description="Id of the rule")]


_BAD_BODY: dict[int | str, dict[str, Any]] = {
    400: {"model": Detail, "description": "The body is not UTF-8 text"}
}
_NO_RULE: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The rule does not exist"}
}

_STALE: dict[int | str, dict[str, Any]] = {
    412: {"model": Detail, "description": "The rule has been changed since it was read"},
    428: {"model": Detail, "description": "If-Match is missing"},
}

router = APIRouter(
    prefix="/api/rules",
    tags=["rules"],
    route_class=ProblemRoute,
    responses={422: {"model": Problems, "description": "What to correct, field by field"}},
)


class _Page(Parameters):
    """Which rules to list."""

    after: int = Field(default=0, ge=0, le=MAX_ID, description="`next` of the previous page")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    appid: str | None = Field(
        default=None,
        pattern=APPID_PATTERN,
        description="Only rules for this account, without those for every account",
    )
    enabled: bool | None = Field(
        default=None, description="Only enabled rules, or only disabled ones"
    )


class _RevisionPage(Parameters):
    """Which revisions to list."""

    before: int | None = Field(
        default=None, ge=1, le=MAX_ID, description="`next` of the previous page"
    )
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


# Before the routes with an id, which would match the names of these routes as an id.
router.include_router(bulk_router.router)
router.include_router(explain_router.router)


@router.get("", openapi_extra=needs(ApiScope.RULES_READ))
async def list_rules(query: Annotated[_Page, Query()], session: SessionDep) -> RulePage:
    """List rules by id, a page at a time.

    `broken` lists rows of this page that were changed outside this API and are not valid rules.
    """
    rows = await store.page(
        session,
        after=query.after,
        limit=query.limit + 1,
        appid=query.appid,
        enabled=query.enabled,
    )
    shown = rows[: query.limit]
    return RulePage(
        items=[row for row in shown if isinstance(row, RuleOut)],
        broken=[row for row in shown if isinstance(row, BrokenRule)],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.post(
    "",
    status_code=201,
    responses=_BAD_BODY,
    dependencies=[NO_PARAMETERS],
    openapi_extra=needs(ApiScope.RULES_WRITE),
)
async def add_rule(
    rule: RuleIn, request: Request, response: Response, session: SessionDep
) -> RuleOut:
    """Add a rule. Every web process uses it within a second."""
    await require_sendable(rule, request.app.state.settings, "body")
    await edit.begin(session)
    added = await edit.insert(session, rule, actor_of(request))
    response.headers["Location"] = request.url_for("get_rule", rule_id=added.id).path
    response.headers["ETag"] = etag_of(added)
    return added


@router.get(
    "/{rule_id}",
    dependencies=[NO_PARAMETERS],
    responses={
        **_NO_RULE,
        409: {"model": Detail, "description": "The row was changed outside this API"},
    },
    openapi_extra=needs(ApiScope.RULES_READ),
)
async def get_rule(rule_id: RuleId, response: Response, session: SessionDep) -> RuleOut:
    """Read a rule. The next change sends its ETag as If-Match."""
    row = await store.get(session, rule_id)
    if row is None:
        raise _no_rule(rule_id)
    if isinstance(row, BrokenRule):
        raise HTTPException(
            409,
            f"rule {rule_id} was changed outside this API and can't be used "
            f"({row.problem}): PUT a corrected one, or DELETE it",
            headers={"ETag": etag(row.revision)},
        )
    response.headers["ETag"] = etag_of(row)
    return row


@router.put(
    "/{rule_id}",
    responses={**_BAD_BODY, **_NO_RULE, **_STALE},
    dependencies=[NO_PARAMETERS],
    openapi_extra=needs(ApiScope.RULES_WRITE),
)
async def replace_rule(
    rule_id: RuleId,
    rule: RuleIn,
    expected: Annotated[frozenset[int] | None, Depends(required)],
    request: Request,
    response: Response,
    session: SessionDep,
) -> RuleOut:
    """Replace a rule as a whole."""
    await require_sendable(rule, request.app.state.settings, "body")
    with _http_errors(rule_id):
        await edit.begin(session)
        replaced = await edit.replace(session, rule_id, rule, actor_of(request), expected=expected)
    response.headers["ETag"] = etag_of(replaced)
    return replaced


@router.delete(
    "/{rule_id}",
    status_code=204,
    responses={**_NO_RULE, **_STALE},
    dependencies=[NO_PARAMETERS],
    openapi_extra=needs(ApiScope.RULES_WRITE),
)
async def delete_rule(
    rule_id: RuleId,
    expected: Annotated[frozenset[int] | None, Depends(required)],
    request: Request,
    session: SessionDep,
) -> None:
    """Delete a rule. Replies that it has queued are still sent. Its revisions are kept."""
    with _http_errors(rule_id):
        await edit.begin(session)
        await edit.delete(session, rule_id, actor_of(request), expected=expected)


@router.get("/{rule_id}/revisions", responses=_NO_RULE, openapi_extra=needs(ApiScope.RULES_READ))
async def list_revisions(
    rule_id: RuleId, query: Annotated[_RevisionPage, Query()], session: SessionDep
) -> Revisions:
    """List the revisions of a rule, the newest first, and who made them; also of a deleted rule."""
    found = await revisions.history(session, rule_id, before=query.before, limit=query.limit + 1)
    if not found and not await revisions.existed(session, rule_id):
        raise _no_rule(rule_id)
    items = found[: query.limit]
    return Revisions(items=items, next=items[-1].revision if len(found) > len(items) else None)


@router.post(
    "/{rule_id}/revisions/{revision}/restore",
    responses={**_NO_RULE, **_STALE},
    dependencies=[NO_PARAMETERS],
    openapi_extra=needs(ApiScope.RULES_WRITE),
)
async def restore_revision(
    rule_id: RuleId,
    revision: Annotated[int, Path(ge=1, le=MAX_ID, description="The revision to restore")],
    request: Request,
    response: Response,
    session: SessionDep,
    if_match: Annotated[str | None, Header()] = None,
) -> RuleOut:
    """Restore an earlier revision of a rule. A deleted rule gets its old id back.

    If-Match is required unless the rule is deleted.
    """
    await edit.begin(session)
    with _http_errors(rule_id):
        restored = await restore.restore(
            session,
            rule_id,
            revision,
            actor_of(request),
            settings=request.app.state.settings,
            expected=lambda: required(if_match),
        )
    response.headers["ETag"] = etag_of(restored)
    return restored


@contextmanager
def _http_errors(rule_id: int) -> Iterator[None]:
    try:
        yield
    except edit.NoSuchRule:
        raise _no_rule(rule_id) from None
    except edit.StaleRevision as stale:
        raise HTTPException(
            412,
            f"rule {rule_id} has been changed since it was read and is at revision "
            f"{stale.revision}: read it again, and apply your change to that",
            headers={"ETag": etag(stale.revision)},
        ) from None
    except revisions.NoSuchRevision:
        raise HTTPException(404, f"rule {rule_id} never had this revision") from None
    except revisions.NoLongerValid as error:
        raise HTTPException(
            409, f"this revision is no longer a valid rule ({error}): PUT a corrected one"
        ) from None


def _no_rule(rule_id: int) -> HTTPException:
    return HTTPException(404, f"rule {rule_id} does not exist")
