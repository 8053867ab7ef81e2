"""WeChat's user API with any number of generated followers, none of which is kept in memory.

Environment: FOLLOWERS, their number; LATENCY_SECONDS, that of `user/get` and `user/info/batchget`.
"""

import asyncio
import os
from collections import Counter
from urllib.parse import parse_qs

import orjson
from starlette.types import Receive, Scope, Send

FOLLOWERS = int(os.environ.get("FOLLOWERS", "1000"))
LATENCY_SECONDS = float(os.environ.get("LATENCY_SECONDS", "0"))
PAGE = 10_000
FIRST_FOLLOWED = 1_700_000_000
TOKEN = {"access_token": "a-token-of-the-benchmark", "expires_in": 7200}

calls: Counter[str] = Counter()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one call; `/calls` returns the number of calls by path."""
    if scope["type"] != "http":
        return
    path = scope["path"].removeprefix("/cgi-bin/")
    body = await _body(receive)
    calls[path] += 1
    answer: object = TOKEN
    if path == "user/get":
        await asyncio.sleep(LATENCY_SECONDS)
        after = parse_qs(scope["query_string"].decode()).get("next_openid", [""])[0]
        answer = _page(int(after[1:]) + 1 if after else 0)
    elif path == "user/info/batchget":
        await asyncio.sleep(LATENCY_SECONDS)
        asked = orjson.loads(body)["user_list"]
        answer = {"user_info_list": [_person(one["openid"]) for one in asked]}
    elif path == "/calls":
        answer = calls
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": orjson.dumps(answer)})


async def _body(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _page(start: int) -> dict[str, object]:
    openids = [f"o{number:027d}" for number in range(start, min(start + PAGE, FOLLOWERS))]
    if not openids:
        return {"total": FOLLOWERS, "count": 0, "next_openid": ""}
    return {
        "total": FOLLOWERS,
        "count": len(openids),
        "data": {"openid": openids},
        "next_openid": openids[-1],
    }


def _person(openid: str) -> dict[str, object]:
    number = int(openid[1:])
    return {
        "subscribe": 1,
        "openid": openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": FIRST_FOLLOWED + number * 7 % 90_000_000,
        "unionid": f"u{number:027d}",
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if number % 3 == 0 else "ADD_SCENE_SEARCH",
        "qr_scene": 0,
        "qr_scene_str": f"store_{number % 500:04d}" if number % 3 == 0 else "",
    }
