"""`user/info`, `user/info/batchget`, `user/get`. Source: protocol 8."""

from itertools import islice

from fastapi import APIRouter, Request

from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.errors import ApiError
from simulator.state import StateDep

BATCH_LIMIT = 100
PAGE_SIZE = 10_000

router = APIRouter(prefix="/cgi-bin/user")


@router.get("/info")
async def info(request: Request, account: CallerDep, state: StateDep) -> JsonObject:
    """Return one user object; query openid."""
    openid = request.query_params.get("openid")
    return state.follower(account.appid, openid).profile(bound=account.bound)


@router.post("/info/batchget")
async def batchget(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Return up to 100 user objects; one invalid OpenID fails the whole call."""
    users = body.get("user_list")
    if not isinstance(users, list) or not all(isinstance(item, dict) for item in users):
        raise ApiError(47001)
    if not 1 <= len(users) <= BATCH_LIMIT:
        raise ApiError(40032)
    found = [state.follower(account.appid, item.get("openid")) for item in users]
    # In another order than requested, so that a client that matches by position fails.
    found.sort(key=lambda follower: follower.openid, reverse=True)
    return {"user_info_list": [follower.profile(bound=account.bound) for follower in found]}


@router.get("/get")
async def get(request: Request, account: CallerDep, state: StateDep) -> JsonObject:
    """Return one page of followers' OpenIDs; query next_openid, from the previous page.

    Every page that is not empty names its last OpenID. After the last page, count is 0 and data is
    missing.
    """
    everyone = state.followers[account.appid]
    following = [f.openid for f in everyone.values() if f.following]
    start = 0
    if after := request.query_params.get("next_openid"):
        state.follower(account.appid, after)
        position = {openid: index for index, openid in enumerate(everyone)}
        start = sum(position[openid] <= position[after] for openid in following)
    page = list(islice(following, start, start + PAGE_SIZE))
    answer: JsonObject = {"total": len(following), "count": len(page)}
    if page:
        answer["data"] = {"openid": page}
    return answer | {"next_openid": page[-1] if page else ""}
