"""WeChat's send API with a latency, and a record of every message that it got.

Environment: LATENCY_SECONDS, that of `message/custom/send`; REFUSED, accounts that it refuses, as
`APPID=ERRCODE` with commas between. The token of an account is its AppID.
"""

import asyncio
import os
import time
from collections import Counter
from urllib.parse import parse_qs

import orjson
from starlette.types import Receive, Scope, Send

LATENCY_SECONDS = float(os.environ.get("LATENCY_SECONDS", "0"))
REFUSED = dict(pair.split("=") for pair in os.environ.get("REFUSED", "").split(",") if pair)

sent: list[tuple[float, str, str]] = []
refused: Counter[str] = Counter()
# Calls of `message/custom/send` now and at most, by account.
under_way: Counter[str] = Counter()
most: Counter[str] = Counter()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one call.

    `/sent` returns (time, account, follower) of every message, `/sent/count` how many there are,
    `/refused` the refused calls of each account, `/at_once` how many calls of one account were
    there at once at most.
    """
    if scope["type"] != "http":
        return
    path = scope["path"].removeprefix("/cgi-bin/")
    body = await _body(receive)
    if body is None:
        return
    answer: object = {"errcode": 0, "errmsg": "ok"}
    if path == "stable_token":
        answer = {"access_token": orjson.loads(body)["appid"], "expires_in": 7200}
    elif path == "message/custom/send":
        arrived_at = time.time()
        account = parse_qs(scope["query_string"].decode())["access_token"][0]
        under_way[account] += 1
        most[account] = max(most[account], under_way[account])
        await asyncio.sleep(LATENCY_SECONDS)
        under_way[account] -= 1
        if account in REFUSED:
            answer = {"errcode": int(REFUSED[account]), "errmsg": "refused"}
            refused[account] += 1
        else:
            sent.append((arrived_at, account, orjson.loads(body)["touser"]))
    elif path == "/sent":
        answer = sent
    elif path == "/sent/count":
        answer = len(sent)
    elif path == "/at_once":
        answer = max(most.values(), default=0)
    elif path == "/refused":
        answer = refused
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": orjson.dumps(answer)})


async def _body(receive: Receive) -> bytes | None:
    """Return the body; None if whoever called was cut off before its end."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
