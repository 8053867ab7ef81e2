"""`/api/rules`: keyword rules as operators edit them."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel, Field

from app.db.session import SessionDep
from app.rules import store
from app.rules.problems import ProblemRoute, Problems
from app.rules.schemas import BrokenRule, RuleIn, RuleOut, RulePage
from app.settings import APPID_PATTERN

MAX_ID = 2**63 - 1
MAX_PAGE = 200

RuleId = Annotated[int, Path(ge=1, le=MAX_ID, description="Id of the rule")]


class Detail(BaseModel):
    """Why a request was not carried out."""

    detail: str


_BAD_BODY: dict[int | str, dict[str, Any]] = {
    400: {"model": Detail, "description": "The body is not UTF-8 text"}
}
_NO_RULE: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "There is no rule with this id"}
}

router = APIRouter(
    prefix="/api/rules",
    tags=["rules"],
    route_class=ProblemRoute,
    responses={422: {"model": Problems, "description": "What to correct, field by field"}},
)


class _Page(BaseModel):
    """Which rules to list."""

    after: int = Field(default=0, ge=0, le=MAX_ID, description="`next` of the page before")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    appid: str | None = Field(
        default=None, pattern=APPID_PATTERN, description="Only rules of this account alone"
    )
    enabled: bool | None = Field(default=None, description="Only rules that are, or are not")


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


@router.post("", status_code=201, responses=_BAD_BODY)
async def add_rule(
    rule: RuleIn, request: Request, response: Response, session: SessionDep
) -> RuleOut:
    """Add a rule; every web process answers with it within a second."""
    added = await store.insert(session, rule)
    response.headers["Location"] = request.url_for("get_rule", rule_id=added.id).path
    return added


@router.get(
    "/{rule_id}",
    responses={
        **_NO_RULE,
        409: {"model": Detail, "description": "The row was changed outside this API"},
    },
)
async def get_rule(rule_id: RuleId, session: SessionDep) -> RuleOut:
    """Read a rule."""
    row = await store.get(session, rule_id)
    if row is None:
        raise _no_rule(rule_id)
    if isinstance(row, BrokenRule):
        raise HTTPException(
            409,
            f"Rule {rule_id} was changed outside this API and can't be used "
            f"({row.problem}): PUT it anew, or DELETE it",
        )
    return row


@router.put("/{rule_id}", responses={**_BAD_BODY, **_NO_RULE})
async def replace_rule(rule_id: RuleId, rule: RuleIn, session: SessionDep) -> RuleOut:
    """Put another rule in the place of this one, as a whole."""
    replaced = await store.replace(session, rule_id, rule)
    if replaced is None:
        raise _no_rule(rule_id)
    return replaced


@router.delete("/{rule_id}", status_code=204, responses=_NO_RULE)
async def delete_rule(rule_id: RuleId, session: SessionDep) -> None:
    """Delete a rule. Answers already queued by it are still sent."""
    if not await store.delete(session, rule_id):
        raise _no_rule(rule_id)


def _no_rule(rule_id: int) -> HTTPException:
    return HTTPException(404, f"There is no rule {rule_id}")
