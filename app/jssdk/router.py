"""`GET /jssdk/{appid}` and `/jssdk/v1.js`: public, for pages on the JS-safe domains of an account.

Neither calls WeChat. The signature is for one page alone, and no answer holds the ticket.
Source: protocol 9.6; linkage 6.2.
"""

import hashlib
import secrets
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.jssdk.page_signature import (
    BadPage,
    ForeignHost,
    host_of,
    is_within,
    signature,
    signed_page,
)
from app.jssdk.serve import PageSigning
from app.settings import Account
from app.wechat.ids import AppId

OPEN_TAGS: Final = ["wx-open-launch-weapp", "wx-open-subscribe"]
RETRY_AFTER_SECONDS: Final = 30
_SETTING: Final = "add it to WECHAT_JS_SAFE_DOMAINS, or to js_safe_domains in ACCOUNTS_FILE"
SCRIPT: Final = files("app.jssdk").joinpath("static/v1.js").read_bytes()
_SCRIPT_HEADERS: Final = {
    # A correction reaches every page within the hour.
    "Cache-Control": "public, max-age=3600",
    "ETag": f'"{hashlib.sha256(SCRIPT).hexdigest()[:32]}"',
    "Cross-Origin-Resource-Policy": "cross-origin",
}

router = APIRouter()


@router.api_route("/jssdk/v1.js", methods=["GET", "HEAD"], include_in_schema=False)
async def script(request: Request) -> Response:
    """Return the script that configures `wx` and fills in the open tags of a page."""
    if _SCRIPT_HEADERS["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=_SCRIPT_HEADERS)
    return Response(SCRIPT, headers=_SCRIPT_HEADERS, media_type="text/javascript; charset=utf-8")


@router.get("/jssdk/{appid}", include_in_schema=False)
async def page_config(appid: str, request: Request) -> Response:
    """Return what `wx.config` needs for the page `url`.

    Statuses: 200; 403 for a page on another host; 404 for an account without JS-safe domains; 422
    without a readable address; 503 while there is no ticket.
    """
    state: PageSigning = request.app.state.page_signing
    account = state.settings.accounts.get(appid)
    if account is None or not account.js_safe_domains:
        return _refused(404, f"the account has no JS-safe domain here: {_SETTING}")
    headers = _cors(request, account)
    url = request.query_params.get("url")
    if url is None:
        return _refused(422, "url is missing: send encodeURIComponent(location.href)", headers)
    try:
        page = signed_page(url, account.js_safe_domains)
    except BadPage as error:
        return _refused(422, f"url {error}", headers)
    except ForeignHost as error:
        reason = f"{error} is no JS-safe domain of {appid}: {_SETTING}"
        return _refused(403, reason, headers)
    ticket = await state.tickets.find(AppId(appid))
    if ticket is None:
        reason = "there is no jsapi_ticket yet: see /readyz, and whether a worker runs"
        return _refused(503, reason, headers | {"Retry-After": str(RETRY_AFTER_SECONDS)})
    nonce, timestamp = secrets.token_hex(8), int(state.clock.now().timestamp())
    return JSONResponse(
        {
            "appId": appid,
            "timestamp": timestamp,
            "nonceStr": nonce,
            "signature": signature(ticket.value, nonce, timestamp, page),
            "jsApiList": [],
            "openTagList": OPEN_TAGS,
        },
        headers=headers,
    )


def _cors(request: Request, account: Account) -> dict[str, str]:
    """Return the headers by which a page of the account's domains may read the answer."""
    headers = {"Cache-Control": "no-store", "Vary": "Origin"}
    origin = request.headers.get("origin", "")
    host = host_of(origin)
    if host is not None and is_within(host, account.js_safe_domains):
        headers["Access-Control-Allow-Origin"] = origin
    return headers


def _refused(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": reason}, status, headers or {"Cache-Control": "no-store"})
