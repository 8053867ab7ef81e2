"""`/api/rules`: rules as operators edit them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request, Response
from pydantic import Field

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
from app.rules.http.if_match import etag, etag_of, operator_of, required
from app.rules.http.query_params import NO_PARAMETERS, Parameters
from app.settings import APPID_PATTERN

MAX_ID = 2**63 - 1
MAX_PAGE = 200

RuleId = Annotated[int, Path(ge=1, le=MAX_ID, description="Id of the rule")]


_BAD_BODY: dict[int | str, dict[str, Any]] = {
    400: {"model": Detail, "description": "The body is not UTF-8 text"}
}
_NO_RULE: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "There is no rule with this id"}
}

_STALE: dict[int | str, dict[str, Any]] = {
    412: {"model": Detail, "description": "Somebody else has changed the rule meanwhile"},
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

    after: int = Field(default=0, ge=0, le=MAX_ID, description="`next` of the page before")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    appid: str | None = Field(
        default=None, pattern=APPID_PATTERN, description="Only rules of this account alone"
    )
    enabled: bool | None = Field(default=None, description="Only rules that are, or are not")


class _RevisionPage(Parameters):
    """Which states to list."""

    before: int | None = Field(
        default=None, ge=1, le=MAX_ID, description="`next` of the page before"
    )
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


# Before the routes with an id, which would take the names for one.
router.include_router(bulk_router.router)
router.include_router(explain_router.router)


@router.get("")
async def list_rules(wanted: Annotated[_Page, Query()], session: SessionDep) -> RulePage:
    """List rules by id, a page at a time.

    `broken` names rows of this page that were changed outside this API and answer nobody.
    """
    rows = await store.page(
        session,
        after=wanted.after,
        limit=wanted.limit + 1,
        appid=wanted.appid,
        enabled=wanted.enabled,
    )
    shown = rows[: wanted.limit]
    return RulePage(
        items=[row for row in shown if isinstance(row, RuleOut)],
        broken=[row for row in shown if isinstance(row, BrokenRule)],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.post("", status_code=201, responses=_BAD_BODY, dependencies=[NO_PARAMETERS])
async def add_rule(
    rule: RuleIn, request: Request, response: Response, session: SessionDep
) -> RuleOut:
    """Add a rule; every web process answers with it within a second."""
    await require_sendable([rule], request.app.state.settings, "body")
    await edit.begin(session)
    added = await edit.insert(session, rule, operator_of(request))
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
)
async def get_rule(rule_id: RuleId, response: Response, session: SessionDep) -> RuleOut:
    """Read a rule; its ETag is what a change has to name."""
    row = await store.get(session, rule_id)
    if row is None:
        raise _no_rule(rule_id)
    if isinstance(row, BrokenRule):
        raise HTTPException(
            409,
            f"Rule {rule_id} was changed outside this API and can't be used "
            f"({row.problem}): PUT it anew, or DELETE it",
            headers={"ETag": etag(row.revision)},
        )
    response.headers["ETag"] = etag_of(row)
    return row


@router.put(
    "/{rule_id}",
    responses={**_BAD_BODY, **_NO_RULE, **_STALE},
    dependencies=[NO_PARAMETERS],
)
async def replace_rule(
    rule_id: RuleId,
    rule: RuleIn,
    expected: Annotated[frozenset[int] | None, Depends(required)],
    request: Request,
    response: Response,
    session: SessionDep,
) -> RuleOut:
    """Put another rule in the place of this one, as a whole."""
    await require_sendable([rule], request.app.state.settings, "body")
    with _refusals(rule_id):
        await edit.begin(session)
        replaced = await edit.replace(
            session, rule_id, rule, operator_of(request), expected=expected
        )
    response.headers["ETag"] = etag_of(replaced)
    return replaced


@router.delete(
    "/{rule_id}",
    status_code=204,
    responses={**_NO_RULE, **_STALE},
    dependencies=[NO_PARAMETERS],
)
async def delete_rule(
    rule_id: RuleId,
    expected: Annotated[frozenset[int] | None, Depends(required)],
    request: Request,
    session: SessionDep,
) -> None:
    """Delete a rule. Answers already queued by it are still sent; its revisions stay."""
    with _refusals(rule_id):
        await edit.begin(session)
        await edit.delete(session, rule_id, operator_of(request), expected=expected)


@router.get("/{rule_id}/revisions", responses=_NO_RULE)
async def list_revisions(
    rule_id: RuleId, wanted: Annotated[_RevisionPage, Query()], session: SessionDep
) -> Revisions:
    """List the states of a rule, the newest first, and who made them; of a deleted rule, too."""
    found = await revisions.history(session, rule_id, before=wanted.before, limit=wanted.limit + 1)
    if not found and not await revisions.has_been(session, rule_id):
        raise _no_rule(rule_id)
    items = found[: wanted.limit]
    return Revisions(items=items, next=items[-1].revision if len(found) > len(items) else None)


@router.post(
    "/{rule_id}/revisions/{revision}/restore",
    responses={**_NO_RULE, **_STALE},
    dependencies=[NO_PARAMETERS],
)
async def restore_revision(
    rule_id: RuleId,
    revision: Annotated[int, Path(ge=1, le=MAX_ID, description="Which state to go back to")],
    request: Request,
    response: Response,
    session: SessionDep,
    if_match: Annotated[str | None, Header()] = None,
) -> RuleOut:
    """Make a rule what it was; a deleted one comes back under its old id.

    If-Match is needed unless the rule is deleted.
    """
    await edit.begin(session)
    with _refusals(rule_id):
        restored = await restore.restore(
            session,
            rule_id,
            revision,
            operator_of(request),
            settings=request.app.state.settings,
            expected=lambda: required(if_match),
        )
    response.headers["ETag"] = etag_of(restored)
    return restored


@contextmanager
def _refusals(rule_id: int) -> Iterator[None]:
    try:
        yield
    except edit.NoSuchRule:
        raise _no_rule(rule_id) from None
    except edit.Stale as stale:
        raise HTTPException(
            412,
            f"Rule {rule_id} has been changed meanwhile and is at revision {stale.revision}: "
            "read it again, and apply your change to that",
            headers={"ETag": etag(stale.revision)},
        ) from None
    except revisions.NoSuchRevision:
        raise HTTPException(404, f"Rule {rule_id} never had this revision") from None
    except revisions.NoLongerARule as error:
        raise HTTPException(
            409, f"This revision is no rule any more ({error}): PUT a corrected one"
        ) from None


def _no_rule(rule_id: int) -> HTTPException:
    return HTTPException(404, f"There is no rule {rule_id}")
