"""Group robots of 企业微信, 飞书 and 钉钉, as their documentation describes them.

Each checks the key of its address, the signature, the form and the length of a text, and how many
messages it got in a minute. It answers with status 200 and says in the body what is wrong.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

MAX_WECOM_BYTES: Final = 2048
MAX_A_MINUTE: Final = 20
MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 3600

Json = dict[str, Any]


@dataclass
class GroupRobots:
    """One robot of each kind.

    key: of their addresses. secret: of the signatures of 飞书 and 钉钉; None: they check none.
    texts: what the group shows. refusing: the answer to every message instead.
    """

    key: str = "0123456789abcdef"
    secret: str | None = "SEC-of-the-robot"  # noqa: S105 - of a simulator
    texts: list[str] = field(default_factory=list)
    requests: list[Json] = field(default_factory=list)
    refusing: Json | None = None
    now: Callable[[], float] = time.time
    _taken: list[float] = field(default_factory=list)

    def app(self) -> Starlette:
        """Return the server of all three."""
        return Starlette(
            routes=[
                Route("/cgi-bin/webhook/send", self._wecom, methods=["POST"]),
                Route("/robot/send", self._dingtalk, methods=["POST"]),
                Route("/open-apis/bot/v2/hook/{key}", self._feishu, methods=["POST"]),
            ]
        )

    async def _wecom(self, request: Request) -> JSONResponse:
        document = await self._read(request)
        if self.refusing is not None:
            return JSONResponse(self.refusing)
        if request.query_params.get("key") != self.key:
            return _errcode(93000, f"invalid webhook url, key {request.query_params.get('key')}")
        text = _text_of(document, "msgtype", "text")
        if text is None:
            return _errcode(40058, "invalid Request Parameter")
        if len(text.encode()) > MAX_WECOM_BYTES:
            return _errcode(40058, "invalid Request Parameter, content is too long")
        return self._take(text)

    async def _dingtalk(self, request: Request) -> JSONResponse:
        document, query = await self._read(request), request.query_params
        if self.refusing is not None:
            return JSONResponse(self.refusing)
        if query.get("access_token") != self.key:
            return _errcode(300001, "token is not exist")
        if self.secret is not None:
            timestamp = query.get("timestamp", "")
            if not timestamp.isdigit() or abs(self.now() - int(timestamp) / 1000) > HOUR_SECONDS:
                return _errcode(310000, "invalid timestamp")
            signed = _signed(self.secret, f"{timestamp}\n{self.secret}")
            if not hmac.compare_digest(query.get("sign", ""), signed):
                return _errcode(310000, "sign not match")
        text = _text_of(document, "msgtype", "text")
        if text is None:
            return JSONResponse({}, 400)
        return self._take(text)

    async def _feishu(self, request: Request) -> JSONResponse:
        document = await self._read(request)
        if self.refusing is not None:
            return JSONResponse(self.refusing)
        if request.path_params["key"] != self.key:
            return _code(19001, "param invalid: incoming webhook access token invalid")
        if self.secret is not None:
            timestamp = str(document.get("timestamp", ""))
            fresh = timestamp.isdigit() and abs(self.now() - int(timestamp)) <= HOUR_SECONDS
            signed = _signed(f"{timestamp}\n{self.secret}", "")
            if not fresh or not hmac.compare_digest(str(document.get("sign", "")), signed):
                return _code(19021, "sign match fail or timestamp is not within one hour")
        text = document.get("content", {}).get("text")
        if document.get("msg_type") != "text" or not isinstance(text, str):
            return _code(9499, "Bad Request", status=400)
        self.texts.append(text)
        return _code(0, "success")

    async def _read(self, request: Request) -> Json:
        document: Json = orjson.loads(await request.body())
        self.requests.append(document)
        return document

    def _take(self, text: str) -> JSONResponse:
        self._taken = [at for at in self._taken if self.now() - at < MINUTE_SECONDS]
        if len(self._taken) >= MAX_A_MINUTE:
            return _errcode(130101, "send too fast, exceed 20 times per minute")
        self._taken.append(self.now())
        self.texts.append(text)
        return _errcode(0, "ok")


def _text_of(document: Json, kind: str, member: str) -> str | None:
    if document.get(kind) != "text":
        return None
    text = document.get(member, {}).get("content")
    return text if isinstance(text, str) else None


def _signed(key: str, message: str) -> str:
    return base64.b64encode(
        hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    ).decode()


def _errcode(errcode: int, errmsg: str) -> JSONResponse:
    return JSONResponse({"errcode": errcode, "errmsg": errmsg})


def _code(code: int, msg: str, status: int = 200) -> JSONResponse:
    return JSONResponse({"code": code, "msg": msg, "data": {}}, status)
