"""`menu/…` and `get_current_selfmenu_info`. Source: linkage 1."""

from fastapi import APIRouter

from simulator.accounts import Account
from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.errors import ApiError
from simulator.menu_checks import check_buttons, check_domains, check_matchrule
from simulator.menus import Conditional
from simulator.state import StateDep

router = APIRouter(prefix="/cgi-bin")

OK: JsonObject = {"errcode": 0, "errmsg": "ok"}


@router.post("/menu/create")
async def create(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Replace the default menu; conditional ones stay."""
    menus = state.menus.of[account.appid]
    menus.button = check_buttons(account, body.get("button"))
    menus.menuid = next(state.menus.ids)
    state.accounts[account.appid] = account.model_copy(update={"menu_open": True})
    return OK


@router.get("/menu/get")
async def get(account: CallerDep, state: StateDep) -> JsonObject:
    """Return what the API made: every button with a sub_button, ids as numbers."""
    menus = state.menus.of[account.appid]
    if menus.button is None:
        raise ApiError(46003)
    shown = state.menus.shows_menuid
    answer: JsonObject = {
        "menu": {"button": [_shown(one) for one in menus.button]} | _id(menus.menuid, shown)
    }
    if menus.conditional:
        answer["conditionalmenu"] = [
            {"button": [_shown(one) for one in each.button], "matchrule": _rule(each)}
            | _id(each.menuid, shown)
            for each in menus.conditional
        ]
    return answer


@router.get("/menu/delete")
async def delete(account: CallerDep, state: StateDep) -> JsonObject:
    """Delete all menus that the API made."""
    menus = state.menus.of[account.appid]
    if menus.button is None:
        raise ApiError(46003)
    menus.button, menus.conditional = None, []
    return OK


@router.post("/menu/addconditional")
async def addconditional(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Add a conditional menu, the newest of all."""
    menus = state.menus.of[account.appid]
    if not account.conditional_menus:
        raise ApiError(65309)
    if menus.button is None:
        raise ApiError(65303)
    if not body.get("button"):
        raise ApiError(65307)
    matchrule = check_matchrule(body.get("matchrule"))
    button = _conditional_buttons(account, body.get("button"))
    check_domains([button, *(each.button for each in menus.conditional)])
    if len(menus.conditional) >= state.menus.most_conditional:
        raise ApiError(65305)
    menuid = next(state.menus.ids)
    menus.conditional.append(Conditional(menuid, button, matchrule))
    return {"menuid": str(menuid)}


@router.post("/menu/delconditional")
async def delconditional(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Delete a conditional menu."""
    menus = state.menus.of[account.appid]
    left = [each for each in menus.conditional if str(each.menuid) != str(body.get("menuid"))]
    if len(left) == len(menus.conditional):
        raise ApiError(65301)
    menus.conditional = left
    return OK


@router.post("/menu/trymatch")
async def trymatch(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Return the menu that a follower sees."""
    menus = state.menus.of[account.appid]
    follower = state.followers[account.appid].get(str(body.get("user_id")))
    if follower is None or not follower.following:
        raise ApiError(65302)
    return {"button": [_shown(one) for one in menus.seen_by(follower)]}


@router.get("/get_current_selfmenu_info")
async def current_selfmenu_info(account: CallerDep, state: StateDep) -> JsonObject:
    """Return the menu that the API made, else the one of the console."""
    menus = state.menus.of[account.appid]
    found = menus.console if menus.button is None else [_in_list(one) for one in menus.button]
    return {"is_menu_open": int(account.menu_open), "selfmenu_info": {"button": found}}


def _conditional_buttons(account: Account, value: object) -> list[JsonObject]:
    try:
        return check_buttons(account, value)
    except ApiError as error:
        if error.errcode in {40054, 40055}:
            raise ApiError(65317) from None
        if error.errcode in {40017, 40024}:
            raise ApiError(65308) from None
        raise


def _shown(button: JsonObject) -> JsonObject:
    subs = button.get("sub_button")
    inner = [_shown(sub) for sub in subs] if isinstance(subs, list) else []
    return button | {"sub_button": inner}


def _in_list(button: JsonObject) -> JsonObject:
    return (
        button | {"sub_button": {"list": button["sub_button"]}}
        if button.get("sub_button")
        else button
    )


def _rule(each: Conditional) -> JsonObject:
    """Return a condition as it comes back: with the earlier name of a tag's id, as a number."""
    rule = {name: value for name, value in each.matchrule.items() if name != "tag_id"}
    tag = each.matchrule.get("tag_id")
    return rule if tag is None else {"group_id": int(str(tag)), **rule}


def _id(menuid: int, shown: bool) -> JsonObject:
    return {"menuid": menuid} if shown else {}
