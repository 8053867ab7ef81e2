"""Links into mini-programs, made with the mini-program's own token.

Source: protocol 9.4; linkage 5.
"""

import base64
import re
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response

from simulator.accounts import Account
from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.errors import ApiError
from simulator.links import PERMANENT
from simulator.state import State, StateDep

router = APIRouter(prefix="/wxa")

QUERY = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~%]{0,1024}")
SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")
VERSIONS = ("release", "trial", "develop")
LONGEST = timedelta(days=30)
MAX_PAGE_URL = 1024
WIDTHS = range(280, 1281)
# A picture of one pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@router.post("/generate_urllink")
async def generate_urllink(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Make a URL Link."""
    target, expires_at = checked(account, body, body, state)
    state.links.count(account.appid, state.clock.now())
    link = state.links.add(account.appid, "https://wxaurl.cn/", target, expires_at)
    return {"errcode": 0, "errmsg": "ok", "url_link": link}


@router.post("/generatescheme")
async def generatescheme(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Make a URL Scheme."""
    jump = body.get("jump_wxa") or {}
    if not isinstance(jump, dict):
        raise ApiError(47001)
    target, expires_at = checked(account, jump, body, state)
    state.links.count(account.appid, state.clock.now())
    link = state.links.add(account.appid, "weixin://dl/business/?t=", target, expires_at)
    return {"errcode": 0, "errmsg": "ok", "openlink": link}


@router.post("/genwxashortlink")
async def genwxashortlink(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Make a short link."""
    require_release(account)
    page_url = body.get("page_url")
    if not isinstance(page_url, str) or not page_url or len(page_url) > MAX_PAGE_URL:
        raise ApiError(40066)
    check_page(account, page_url.partition("?")[0], 40066)
    permanent = bool(body.get("is_permanent"))
    if permanent and state.links.permanent_of(account.appid) >= PERMANENT:
        raise ApiError(85400)
    expires_at = None if permanent else state.clock.now() + LONGEST
    title = str(body.get("page_title") or "")[:20]
    target: JsonObject = {"page_url": page_url, "page_title": title}
    link = state.links.add(account.appid, f"#小程序://{title or 'demo'}/", target, expires_at)
    return {"errcode": 0, "errmsg": "ok", "link": link}


@router.post("/getwxacodeunlimit")
async def getwxacodeunlimit(body: JsonDep, account: CallerDep) -> Response:
    """Draw a mini-program code; here it is one pixel."""
    scene = body.get("scene")
    if not isinstance(scene, str) or SCENE.fullmatch(scene) is None:
        raise ApiError(40169)
    if "scancode_time" in scene:
        raise ApiError(85096)
    width = body.get("width", 430)
    if body.get("env_version", "release") not in VERSIONS or width not in WIDTHS:
        raise ApiError(40097)
    require_release(account)
    if body.get("check_path", True):
        check_page(account, str(body.get("page", "")), 41030)
    return Response(PNG, media_type="image/png")


def checked(
    account: Account, target: JsonObject, expiry: JsonObject, state: State
) -> tuple[JsonObject, datetime]:
    """Return what a link opens and when it ends. Raises ApiError."""
    require_release(account)
    path, query = target.get("path", ""), target.get("query", "")
    if not isinstance(path, str) or not isinstance(query, str):
        raise ApiError(40097)
    check_page(account, path, 40165)
    if QUERY.fullmatch(query) is None:
        raise ApiError(40212)
    if target.get("env_version", "release") not in VERSIONS:
        raise ApiError(85402)
    return {"path": path, "query": query}, end_of(expiry, state.clock.now())


def end_of(expiry: JsonObject, now: datetime) -> datetime:
    """Return when a link ends: expire_type 0 names a time, 1 a number of days."""
    value = expiry.get("expire_interval" if expiry.get("expire_type", 0) == 1 else "expire_time")
    if not isinstance(value, int):
        raise ApiError(85401)
    if expiry.get("expire_type", 0) == 1:
        if not 1 <= value <= LONGEST.days:
            raise ApiError(85401)
        return now + timedelta(days=value)
    end = datetime.fromtimestamp(value, UTC)
    if not timedelta(minutes=1) <= end - now <= LONGEST:
        raise ApiError(85401)
    return end


def require_release(account: Account) -> None:
    """Raise ApiError 40013 for what is no mini-program, 85079 for one that is not released."""
    if not account.is_mini_program:
        raise ApiError(40013)
    if not account.released:
        raise ApiError(85079)


def check_page(account: Account, page: str, errcode: int) -> None:
    """Raise ApiError unless the released version has the page; the home page always exists."""
    pages = account.mini_program_pages.get(account.appid)
    if page.startswith("/") or (page and pages is not None and page not in pages):
        raise ApiError(errcode)
