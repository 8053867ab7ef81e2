"""`callback/check`, `openapi/quota/get` and `clear_quota`.

Source: protocol 7.4; linkage 7 and 8.
"""

from fastapi import APIRouter

from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.errors import ApiError
from simulator.quotas import DAILY_LIMITS, MINUTE_SECONDS, daily_limit, minute_limit
from simulator.state import StateDep

router = APIRouter(prefix="/cgi-bin")

ACTIONS = ("dns", "ping", "all")
OPERATORS = ("CHINANET", "UNICOM", "CAP", "DEFAULT")


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
    limit = daily_limit(account, path, otherwise=0)
    used = min(state.quotas.used(account, path, state.clock.now()), limit)
    answer: JsonObject = {
        "errcode": 0,
        "errmsg": "ok",
        "quota": {"daily_limit": limit, "used": used, "remain": limit - used},
    }
    most = minute_limit(account, path)
    if most is not None:
        answer["rate_limit"] = {"call_count": most, "refresh_second": MINUTE_SECONDS}
    return answer


@router.post("/clear_quota")
async def clear_quota(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Let the quotas of the account begin anew, ten times a month."""
    if body.get("appid") != account.appid:
        raise ApiError(40013)
    state.quotas.clear(account, state.clock.now())
    return {"errcode": 0, "errmsg": "ok"}
