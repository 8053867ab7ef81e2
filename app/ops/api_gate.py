"""Lets requests to `/api` and `/metrics` in: the token first, then a bounded body.

It is middleware, since FastAPI reads the whole body before it calls a dependency. A request without
a valid token is answered before anything of its body is read.
"""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Final, Protocol

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app import metrics
from app.access.actor import Actor, ActorKind
from app.access.caller import Caller
from app.access.scopes import ApiScope
from app.access.token_cache import KnownToken, TokensUnavailable
from app.access.token_text import is_token
from app.clock import Clock
from app.log_limit import LogLimit
from app.ops.api_body import (
    CLOSE,
    USUAL,
    BodyLimit,
    BodyLimits,
    BoundedBody,
    declared_length,
    too_large,
)
from app.ops.auth import NEEDED, admin_name, bearer_token
from app.ops.wrong_tokens import WINDOW_SECONDS, WrongTokens
from app.settings import Settings

log = structlog.get_logger(__name__)

READINESS: Final = "/readyz"
METRICS: Final = "/metrics"
NOT_SET: Final = (
    "There is no token yet, so nobody may use /api: set ADMIN_TOKENS, or make one with oa-bridge "
    "tokens add"
)
NOT_READ: Final = (
    "The token can't be checked, because the database is unavailable or not up to date: try again "
    "later"
)
TOO_MANY: Final = "Too many requests without a valid bearer token"


class Tokens(Protocol):
    """The API tokens of the database; see `TokenCache`."""

    async def find(self, token: str) -> KnownToken | None:
        """Return the token with this text. Raises TokensUnavailable."""

    async def is_empty(self) -> bool:
        """Return whether there is no token at all. Raises TokensUnavailable."""

    async def note_use(self, token: KnownToken) -> None:
        """Note that a token is used."""

    async def note_scope(self, token: KnownToken, scope: ApiScope) -> None:
        """Note that a scope of a token is needed."""


class _Invalid(Exception):
    """The token is none, or not any more. The message says why."""


class ApiGate:
    """Checks each request before the application sees it.

    Answers 401, 403 (`/metrics` alone), 413, 429 and 503 itself; the scopes of `/api` are checked
    by `scoped_route.ScopedRoute`, before the body is read as well.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        tokens: Tokens,
        clock: Clock,
        body_limits: Mapping[str, BodyLimit] | None = None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._tokens = tokens
        self._clock = clock
        self._body_limits = BodyLimits(body_limits or {})
        self._wrong_tokens = WrongTokens()
        self._log_limit = LogLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not self._guards(scope):
            await self._app(scope, receive, send)
            return
        limit = self._body_limits.of(scope["path"])
        try:
            caller = await self._let_in(scope)
            if declared_length(scope) > limit.max_bytes:
                raise too_large(limit)
        except HTTPException as refusal:
            await _answer(refusal, scope)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, BoundedBody(receive, limit).receive, send)

    def _guards(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if path == METRICS:
            return not self._settings.operations_public
        if path == READINESS:
            # A wrong token must be counted here as well, or it could be guessed here.
            return not self._settings.operations_public and bearer_token(scope) is not None
        return path == "/api" or path.startswith("/api/")

    async def _let_in(self, scope: Scope) -> Caller | None:
        """Return who calls. Raises HTTPException 401, 403, 429 and 503.

        None: readiness is asked with a token that is wrong, can't be checked, or lacks the scope.
        It answers as if there was none, so that no process leaves the load balancer when a token
        is changed.
        """
        client = scope.get("client")
        address = client[0] if client else ""
        token = bearer_token(scope)
        readiness = scope["path"] == READINESS
        try:
            caller = await self._caller(token, address)
            if readiness or scope["path"] == METRICS:
                await caller.use(ApiScope.OPERATIONS_READ)
        except _Invalid as invalid:
            self._count("no_token" if token is None else "wrong_token", address)
            await self._slow_down(address)
            if not readiness:
                challenge = {"WWW-Authenticate": "Bearer"}
                raise HTTPException(HTTPStatus.UNAUTHORIZED, str(invalid), challenge) from None
        except HTTPException:
            if not readiness:
                raise
        else:
            return caller
        return None

    async def _caller(self, token: str | None, address: str) -> Caller:
        """Return the owner of a token. Raises _Invalid, and HTTPException 503."""
        admin = None if token is None else admin_name(self._settings, token)
        if admin is not None:
            return Caller.with_every_scope(Actor(ActorKind.ADMIN_TOKEN, admin, address))
        try:
            found = None
            if token is not None and is_token(token):
                found = await self._tokens.find(token)
            if found is None:
                if not self._settings.admin_tokens and await self._tokens.is_empty():
                    raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, NOT_SET)
                raise _Invalid(NEEDED)
        except TokensUnavailable:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, NOT_READ) from None
        reason = found.why_invalid(self._clock.now())
        if reason is not None:
            raise _Invalid(f"{reason}: make a new one")
        await self._tokens.note_use(found)
        return Caller(
            Actor(ActorKind.TOKEN, found.name, address),
            found.scopes,
            found.appids,
            partial(self._tokens.note_scope, found),
        )

    async def _slow_down(self, address: str) -> None:
        if not await self._wrong_tokens.slow_down(address):
            retry = {"Retry-After": f"{WINDOW_SECONDS:.0f}"}
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, retry | CLOSE)

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
