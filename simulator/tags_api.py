"""`tags/…` and `user/tag/get`. Source: protocol 8."""

from itertools import islice

from fastapi import APIRouter, Request

from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.errors import ApiError
from simulator.followers import Follower
from simulator.state import State, StateDep

MAX_OPENIDS = 50
MAX_TAGS_OF_FOLLOWER = 20

router = APIRouter(prefix="/cgi-bin")

OK: JsonObject = {"errcode": 0, "errmsg": "ok"}


@router.get("/tags/get")
async def get(account: CallerDep, state: StateDep) -> JsonObject:
    """Return the tags with how many followers have each."""
    tags = state.tags.account(account.appid)
    return {
        "tags": [
            {"id": number, "name": name, "count": len(members(state, account.appid, number))}
            for number, name in tags.names.items()
        ]
    }


@router.post("/tags/create")
async def create(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Add a tag."""
    name = tag_of(body).get("name")
    return {"tag": {"id": state.tags.account(account.appid).add(name), "name": name}}


@router.post("/tags/update")
async def update(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Rename a tag."""
    tag = tag_of(body)
    state.tags.account(account.appid).rename(tag.get("id"), tag.get("name"))
    return OK


@router.post("/tags/delete")
async def delete(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Delete a tag, unless too many followers have it."""
    tags = state.tags.account(account.appid)
    number = tags.own(tag_of(body).get("id"))
    having = members(state, account.appid, number)
    if len(having) > state.tags.most_to_delete:
        raise ApiError(45057)
    for follower in having:
        follower.tags.remove(number)
    del tags.names[number]
    return OK


@router.post("/tags/members/batchtagging")
async def batchtagging(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Tag up to 50 followers, all of them or none."""
    number, people = named(body, account.appid, state)
    if any(number not in one.tags and len(one.tags) >= MAX_TAGS_OF_FOLLOWER for one in people):
        raise ApiError(45059)
    for one in people:
        if number not in one.tags:
            one.tags.append(number)
    return OK


@router.post("/tags/members/batchuntagging")
async def batchuntagging(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Take a tag from up to 50 followers, all of them or none."""
    number, people = named(body, account.appid, state)
    for one in people:
        if number in one.tags:
            one.tags.remove(number)
    return OK


@router.post("/user/tag/get")
async def members_by_post(
    request: Request, body: JsonDep, account: CallerDep, state: StateDep
) -> JsonObject:
    """Return one page of the followers with a tag."""
    if state.tags.members_method != request.method:
        raise ApiError(43001)
    return members_page(state, account.appid, body.get("tagid"), str(body.get("next_openid") or ""))


@router.get("/user/tag/get")
async def members_by_get(request: Request, account: CallerDep, state: StateDep) -> JsonObject:
    """Return the same where the call is to be made with GET."""
    if state.tags.members_method != request.method:
        raise ApiError(43002)
    query = request.query_params
    number = query.get("tagid", "")
    return members_page(
        state,
        account.appid,
        int(number) if number.isdigit() else None,
        query.get("next_openid", ""),
    )


def members_page(state: State, appid: str, number: object, after: str) -> JsonObject:
    """Return a page as `user/get` has it; an OpenID that is not known fails the call."""
    tag = state.tags.account(appid).known(number)
    if after:
        state.follower(appid, after)
    found = [one.openid for one in members(state, appid, tag)]
    rest = (openid for openid in sorted(found) if openid > after)
    page = list(islice(rest, state.tags.page_size))
    answer: JsonObject = {"count": len(page)}
    if page:
        answer["data"] = {"openid": page}
    return answer | {"next_openid": page[-1] if page else ""}


def members(state: State, appid: str, number: int) -> list[Follower]:
    """Return who has a tag."""
    return [one for one in state.followers[appid].values() if number in one.tags and one.following]


def tag_of(body: JsonObject) -> JsonObject:
    """Return the tag of a body. Raises ApiError 47001."""
    tag = body.get("tag")
    if not isinstance(tag, dict):
        raise ApiError(47001)
    return tag


def named(body: JsonObject, appid: str, state: State) -> tuple[int, list[Follower]]:
    """Return the tag and the followers of a body. Raises ApiError."""
    openids = body.get("openid_list")
    if not isinstance(openids, list) or not openids:
        raise ApiError(47001)
    if len(openids) > MAX_OPENIDS:
        raise ApiError(40032)
    number = state.tags.account(appid).known(body.get("tagid"))
    people = [state.follower(appid, openid) for openid in openids]
    if not all(one.following for one in people):
        raise ApiError(49003)
    return number, people
