"""`POST draft/add`. Source: linkage 12.1."""

from fastapi import APIRouter

from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.errors import ApiError
from simulator.state import StateDep

router = APIRouter(prefix="/cgi-bin/draft")


@router.post("/add")
async def add(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Add a draft with one article."""
    if account.is_mini_program:
        raise ApiError(48001)
    articles = body.get("articles")
    if not isinstance(articles, list) or len(articles) != 1 or not isinstance(articles[0], dict):
        raise ApiError(44003)
    return {"media_id": state.drafts.add(account.appid, articles[0])}
