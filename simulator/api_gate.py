"""Middleware of the API: applies faults, and writes every call to the ledger."""

import asyncio
import json
from urllib.parse import parse_qsl

from fastapi.responses import JSONResponse
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.errors import ApiError, refusal
from simulator.faults import Drop, Fault
from simulator.ledger import Kind
from simulator.masking import mask_json, masked
from simulator.server import cut_connection
from simulator.state import State

API_PREFIXES = ("/cgi-bin/", "/wxa/", "/wxaapi/", "/datacube/")
ANSWER_KEPT = 4000
CREDENTIALS = ("access_token", "secret")


class ApiGate:
    """ASGI middleware for paths of the API; other paths are not touched."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, or cut its connection if a fault says so."""
        if scope["type"] != "http" or not scope["path"].startswith(API_PREFIXES):
            await self.app(scope, receive, send)
            return
        fault = self.state.faults.next_for(scope["path"]) or Fault(path=scope["path"])
        if fault.drop is Drop.BEFORE:
            self.record(scope, b"", [], fault)
            await cut_connection(scope, receive)
            return
        body = await read(receive)
        if fault.latency_seconds:
            await asyncio.sleep(fault.latency_seconds)
        answer = await self.answer(scope, body, fault)
        self.record(scope, body, answer, fault)
        if fault.drop is Drop.AFTER:
            await cut_connection(scope, receive)
            return
        for message in answer:
            await send(message)

    async def answer(self, scope: Scope, body: bytes, fault: Fault) -> list[Message]:
        """Return the ASGI messages of the response: of the fault if it has one, else of the app."""
        answer: list[Message] = []

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def collect(message: Message) -> None:
            answer.append(message)

        replacement = self.answer_of(fault) or self.over_quota(scope, body)
        await (replacement or self.app)(scope, replay, collect)
        return changed(answer, fault)

    def answer_of(self, fault: Fault) -> Response | None:
        """Return the response of a fault that replaces the one of the app; None if it has none."""
        if fault.status is not None or fault.body is not None:
            body = "upstream error" if fault.body is None else fault.body
            headers = {} if fault.location is None else {"location": fault.location}
            return Response(
                body.encode(fault.encoding), fault.status or 200, headers, media_type="text/plain"
            )
        if fault.errcode is not None:
            return JSONResponse(refusal(fault.errcode, "", self.state.clock.now()))
        return None

    def over_quota(self, scope: Scope, body: bytes) -> Response | None:
        """Count a call of a known account; return the refusal if it has made too many."""
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        account = self.state.accounts.get(self.appid_of(query, body_facts(scope, body)[1]) or "")
        if account is None:
            return None
        try:
            self.state.quotas.take(account, scope["path"], self.state.clock.now())
        except ApiError as error:
            return JSONResponse(refusal(error.errcode, "", self.state.clock.now()))
        return None

    def record(self, scope: Scope, body: bytes, answer: list[Message], fault: Fault) -> None:
        """Write the call and its result to the ledger, with masked credentials and no files."""
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        text, parsed = body_facts(scope, body)
        reply = b"".join(message.get("body", b"") for message in answer)
        reply_text = reply[:ANSWER_KEPT].decode(errors="replace")
        self.state.ledger.write(
            self.state.clock.now(),
            Kind.API_CALL,
            self.appid_of(query, parsed),
            query.get("openid") or openid_of(parsed),
            path=scope["path"],
            method=scope["method"],
            query={k: masked(v) if k in CREDENTIALS else v for k, v in query.items()},
            body=text,
            status=answer[0]["status"] if answer else None,
            errcode=errcode_of(answer, reply),
            answer=mask_json(reply_text) if is_json(answer) else f"<{len(reply)} bytes>",
            dropped=fault.drop,
        )

    def appid_of(self, query: dict[str, str], parsed: dict[str, object]) -> str | None:
        """Return the AppID of the account that a call belongs to; None if it is not known."""
        given = query.get("appid") or parsed.get("appid")
        if given is not None:
            return str(given)
        access_token = query.get("access_token")
        owners = (a for a, tokens in self.state.tokens.items() if access_token in tokens.issued)
        return next(owners, None)


def changed(answer: list[Message], fault: Fault) -> list[Message]:
    """Return a JSON answer with the members that the fault changes or removes."""
    if not fault.changed and not fault.removed:
        return answer
    members: dict[str, object] = json.loads(
        b"".join(message.get("body", b"") for message in answer)
    )
    members |= fault.changed
    body = json.dumps(
        {name: value for name, value in members.items() if name not in fault.removed},
        ensure_ascii=False,
    ).encode()
    start = answer[0]
    headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
    return [
        {**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]},
        {"type": "http.response.body", "body": body},
    ]


async def read(receive: Receive) -> bytes:
    """Return the whole request body."""
    parts: list[bytes] = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


def body_facts(scope: Scope, body: bytes) -> tuple[str, dict[str, object]]:
    """Return the body as text for the ledger, and as a JSON object ({} if it is not one)."""
    content_type = dict(scope["headers"]).get(b"content-type", b"")
    if content_type.startswith(b"multipart/"):
        return f"<multipart, {len(body)} bytes>", {}
    text = body.decode(errors="replace")
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    return mask_json(text), parsed if isinstance(parsed, dict) else {}


def openid_of(parsed: dict[str, object]) -> str | None:
    """Return the OpenID that a message is sent to; None if there is none."""
    touser = parsed.get("touser")
    return touser if isinstance(touser, str) else None


def is_json(answer: list[Message]) -> bool:
    """Tell whether the answer is JSON, by its content type."""
    headers = dict(answer[0]["headers"]) if answer else {}
    return bool(headers.get(b"content-type", b"").startswith(b"application/json"))


def errcode_of(answer: list[Message], reply: bytes) -> int | None:
    """Return the errcode of a JSON answer; missing means 0. None for any other answer."""
    if not is_json(answer):
        return None
    errcode = json.loads(reply).get("errcode", 0)
    return int(errcode)
