"""`/api/rules/explain`: which rules answer a message, and why the others do not."""

from fastapi import APIRouter, Request

from app.access.scopes import ApiScope, needs
from app.db.session import SessionDep
from app.rules.definition.validation_errors import Problems
from app.rules.explaining.question import Question
from app.rules.explaining.report import Explained, explain_question
from app.rules.http.error_route import ProblemRoute
from app.rules.http.query_params import NO_PARAMETERS
from app.rules.live import LiveRules

router = APIRouter(
    route_class=ProblemRoute,
    responses={422: {"model": Problems, "description": "What to correct, field by field"}},
)


@router.post("/explain", dependencies=[NO_PARAMETERS], openapi_extra=needs(ApiScope.RULES_READ))
async def explain_rules(question: Question, request: Request, session: SessionDep) -> Explained:
    """Say which rules would answer, with which replies, and why the near misses would not."""
    state = request.app.state
    live: LiveRules | None = getattr(state, "rules", None)
    return await explain_question(
        session,
        question,
        state.clock.now(),
        state.settings,
        served=None if live is None else live.newest,
    )
