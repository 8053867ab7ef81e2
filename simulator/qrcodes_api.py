"""Parameterised QR codes. Source: protocol 9.5; linkage 4.

Which errcode WeChat gives for the 100,001st permanent code is not documented, so none is given.
"""

from datetime import timedelta

from fastapi import APIRouter

from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.errors import ApiError
from simulator.state import StateDep

router = APIRouter(prefix="/cgi-bin/qrcode")

ACTIONS = {
    "QR_SCENE": "scene_id",
    "QR_STR_SCENE": "scene_str",
    "QR_LIMIT_SCENE": "scene_id",
    "QR_LIMIT_STR_SCENE": "scene_str",
}
MAX_SECONDS = 2_592_000
DEFAULT_SECONDS = 60
MAX_TEXT = 64
MAX_NUMBER = 2**32 - 1
MAX_PERMANENT_NUMBER = 100_000


@router.post("/create")
async def create(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Make a code. The response has no errcode, as WeChat's has none."""
    if account.is_mini_program:
        raise ApiError(48001)
    action = body.get("action_name")
    if not isinstance(action, str) or action not in ACTIONS:
        raise ApiError(40052)
    scene, now = scene_of(action, body.get("action_info")), state.clock.now()
    if "LIMIT" in action:
        code = state.qrcodes.add(account.appid, scene, None, now)
        return {"ticket": code.ticket, "url": code.url}
    seconds = body.get("expire_seconds", DEFAULT_SECONDS)
    if not isinstance(seconds, int) or not 1 <= seconds <= MAX_SECONDS:
        raise ApiError(40053)
    code = state.qrcodes.add(account.appid, scene, now + timedelta(seconds=seconds), now)
    return {"ticket": code.ticket, "expire_seconds": seconds, "url": code.url}


def scene_of(action: str, info: object) -> str:
    """Return the scene, as events name it. Raises ApiError 40053."""
    scenes = info.get("scene") if isinstance(info, dict) else None
    value = scenes.get(ACTIONS[action]) if isinstance(scenes, dict) else None
    if ACTIONS[action] == "scene_str":
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
            raise ApiError(40053)
        return value
    most = MAX_PERMANENT_NUMBER if "LIMIT" in action else MAX_NUMBER
    if not isinstance(value, int) or not 1 <= value <= most:
        raise ApiError(40053)
    return str(value)
