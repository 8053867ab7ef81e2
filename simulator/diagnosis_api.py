"""`callback/check`, `openapi/quota/get` and `get_current_selfmenu_info`.

Source: protocol 7.4; linkage 1.5, 7 and 8.
"""

from datetime import timedelta, timezone

from fastapi import APIRouter

from simulator.accounts import Account
from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.errors import ApiError
from simulator.ledger import Kind
from simulator.state import State, StateDep

router = APIRouter(prefix="/cgi-bin")

ACTIONS = ("dns", "ping", "all")
OPERATORS = ("CHINANET", "UNICOM", "CAP", "DEFAULT")
# Of a new account. The page of protocol 7.4 has more; these are the calls that the simulator knows.
DAILY_LIMITS = {
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/media/upload": 100_000,
    "/cgi-bin/user/get": 500,
    "/cgi-bin/user/info": 5_000_000,
    "/cgi-bin/user/info/batchget": 5_000_000,
    "/cgi-bin/stable_token": 500_000,
}
SHANGHAI = timezone(timedelta(hours=8))


@router.post("/callback/check")
async def callback_check(body: JsonDep, account: CallerDep) -> JsonObject:
    """Return what the platform finds for the host of the callback URL."""
    action, operator = body.get("action"), body.get("check_operator")
    if action not in ACTIONS:
        raise ApiError(40202)
    if operator not in OPERATORS:
        raise ApiError(40203)
    if not account.callback_enabled:
        raise ApiError(40201)
    real = "UNICOM" if operator == "DEFAULT" else str(operator)
    dns = [{"ip": address, "real_operator": real} for address in account.callback_addresses]
    ping = [
        {"ip": address, "from_operator": real, "package_loss": "0%", "time": "21.310ms"}
        for address in account.callback_addresses
    ]
    parts: dict[str, object] = {"dns": dns, "ping": ping}
    return parts if action == "all" else {str(action): parts[str(action)]}


@router.post("/openapi/quota/get")
async def quota_get(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Return the quota of one API."""
    path = body.get("cgi_path")
    if not isinstance(path, str) or not path.startswith("/"):
        raise ApiError(76003)
    if path not in DAILY_LIMITS:
        raise ApiError(76021)
    limit = DAILY_LIMITS[path]
    used = min(account.quota_used.get(path, calls_today(account, path, state)), limit)
    return {
        "errcode": 0,
        "errmsg": "ok",
        "quota": {"daily_limit": limit, "used": used, "remain": limit - used},
        "rate_limit": {"call_count": 1000, "refresh_second": 60},
    }


@router.get("/get_current_selfmenu_info")
async def current_selfmenu_info(account: CallerDep) -> JsonObject:
    """Return the menu that was made in the console."""
    button: list[JsonObject] = [
        {"type": "view", "name": "官网", "url": "https://www.example.cn/"},
        {
            "name": "更多",
            "sub_button": {"list": [{"type": "text", "name": "营业时间", "value": "每天 9:00"}]},
        },
    ]
    return {"is_menu_open": int(account.menu_open), "selfmenu_info": {"button": button}}


def calls_today(account: Account, path: str, state: State) -> int:
    """Return how often the account has called a path since midnight in Shanghai."""
    today = state.clock.now().astimezone(SHANGHAI).date()
    return sum(
        entry.appid == account.appid
        and entry.facts["path"] == path
        and entry.at.astimezone(SHANGHAI).date() == today
        for entry in state.ledger.read(kind=Kind.API_CALL, limit=max(1, len(state.ledger)))
    )
