"""Calls the callback endpoint under PUBLIC_URL as WeChat does when it checks the URL.

Private addresses are allowed here. PUBLIC_URL comes from the settings, as DATABASE_URL does, and
not from somebody who may edit rules or webhooks; inside a network its host often has a private
address; and nothing of the answer is shown but whether it is right. No redirect is followed.
"""

import asyncio
import secrets
from typing import Any, Final

import httpx

from app.connection_errors import problem_of
from app.http_client.client import checked_client
from app.http_client.ssrf_guard import resolve
from app.http_client.url_policy import Policy
from app.settings import Account
from app.wechat.crypto.signatures import signature

TIMEOUT_SECONDS: Final = 5.0
MAX_BYTES: Final = 1024


async def call(public_url: str, account: Account, now: float) -> dict[str, Any]:
    """Return `echoed` True, or else the `status` of the answer, or the `error` without one.

    error: the name of a ConnectionProblem in lower case, or `broken`.
    now: Unix seconds. Source: protocol 1.2.
    """
    timestamp, nonce = str(int(now)), str(secrets.randbelow(10**9))
    echostr = str(secrets.randbelow(10**18))
    query = {
        "signature": signature(account.tokens[0], timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echostr,
    }
    address = f"{public_url.rstrip('/')}/callback/{account.appid}"
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            checked_client(Policy(http=True, private=True), resolve, {}) as client,
            client.stream("GET", address, params=query) as response,
        ):
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_BYTES:
                    break
            if response.status_code == httpx.codes.OK and content == echostr.encode():
                return {"echoed": True}
            return {"status": response.status_code}
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        problem = problem_of(error)
        return {"error": "broken" if problem is None else problem.name.lower()}
