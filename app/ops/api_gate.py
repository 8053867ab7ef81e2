"""Lets requests to `/api` and `/metrics` in: the token first, then a bounded body.

It is middleware, since FastAPI reads the whole body before it calls a dependency. A request without
a valid token is answered before anything of its body is read.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app import metrics
from app.ops.api_body import (
    CLOSE,
    USUAL,
    BodyLimit,
    BoundedBody,
    declared_length,
    too_large,
)
from app.ops.auth import NEEDED, NOT_SET, bearer_token, operator_with
from app.ops.log_limit import LogLimit
from app.ops.wrong_tokens import WINDOW_SECONDS, WrongTokens
from app.settings import Settings

log = structlog.get_logger(__name__)

READINESS: Final = "/readyz"
TOO_MANY: Final = "Too many requests without a valid bearer token"


class ApiGate:
    """Checks each request before the application sees it. Answers 401, 413, 429 and 503 itself."""

    def __init__(
        self, app: ASGIApp, settings: Settings, body_limits: Mapping[str, BodyLimit] | None = None
    ) -> None:
        self._app = app
        self._settings = settings
        self._body_limits = body_limits or {}
        self._wrong_tokens = WrongTokens()
        self._log_limit = LogLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not self._guards(scope):
            await self._app(scope, receive, send)
            return
        limit = self._body_limits.get(scope["path"], USUAL)
        try:
            operator = await self._operator(scope)
            if declared_length(scope) > limit.max_bytes:
                raise too_large(limit)
        except HTTPException as refusal:
            await _answer(refusal, scope)(scope, receive, send)
            return
        scope.setdefault("state", {})["operator"] = operator
        await self._app(scope, BoundedBody(receive, limit).receive, send)

    def _guards(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if path == "/metrics":
            return not self._settings.operations_public
        if path == READINESS:
            # A wrong token must be counted here as well, or it could be guessed here.
            return not self._settings.operations_public and bearer_token(scope) is not None
        return path == "/api" or path.startswith("/api/")

    async def _operator(self, scope: Scope) -> str | None:
        """Return the operator of a request. Raises HTTPException 401, 429 and 503.

        None: readiness is asked with a wrong token. It answers as if there was none, so that no
        process leaves the load balancer when a token is changed.
        """
        token = bearer_token(scope)
        operator = operator_with(self._settings, token)
        if operator is not None:
            return operator
        client = scope.get("client")
        address = client[0] if client else ""
        self._count("no_token" if token is None else "wrong_token", address)
        if not self._settings.admin_tokens and scope["path"] != READINESS:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, NOT_SET)
        if not await self._wrong_tokens.slow_down(address):
            retry = {"Retry-After": f"{WINDOW_SECONDS:.0f}"}
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, retry | CLOSE)
        if scope["path"] == READINESS:
            return None
        raise HTTPException(HTTPStatus.UNAUTHORIZED, NEEDED, {"WWW-Authenticate": "Bearer"})

    def _count(self, reason: str, address: str) -> None:
        metrics.API_REFUSALS.labels(reason).inc()
        if (count := self._log_limit.take()) is not None:
            log.warning("api.refused", reason=reason, address=address, count=count)


def _answer(refusal: HTTPException, scope: Scope) -> JSONResponse:
    headers = dict(refusal.headers or {})
    # A short body is read to its end by the server, so that the client sees the answer and the
    # connection can be used again. A long one, or one of unknown length, is not.
    chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
    if chunked or declared_length(scope) > USUAL.max_bytes:
        headers |= CLOSE
    return JSONResponse(
        {"detail": refusal.detail}, status_code=refusal.status_code, headers=headers
    )
