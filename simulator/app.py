"""Builds the simulator."""

import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from http import HTTPStatus

import httpx
from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from simulator import (
    autoreply_api,
    control_api,
    customer_service_api,
    datacube_api,
    diagnosis_api,
    drafts_api,
    explain_api,
    ip_api,
    ledger_api,
    links_api,
    media_api,
    menus_api,
    notices_api,
    page,
    push_api,
    qrcodes_api,
    tags_api,
    ticket_api,
    token_api,
    users_api,
)
from simulator.accounts import Account
from simulator.api_gate import API_PREFIXES, ApiGate
from simulator.errors import ApiError, refusal
from simulator.state import State, state_of

ROUTERS = (
    token_api.router,
    ticket_api.router,
    media_api.router,
    customer_service_api.router,
    users_api.router,
    ip_api.router,
    diagnosis_api.router,
    autoreply_api.router,
    drafts_api.router,
    links_api.router,
    menus_api.router,
    notices_api.router,
    qrcodes_api.router,
    datacube_api.router,
    tags_api.router,
    control_api.router,
    ledger_api.router,
    explain_api.router,
    push_api.router,
    page.router,
)


@cache
def _tls_context() -> ssl.SSLContext:
    # To read the certificate authorities takes long, so it is done once.
    return httpx.create_ssl_context(trust_env=False)


def create_app(
    accounts: Iterable[Account] = (),
    *,
    openids: Sequence[str] = (),
    callbacks: httpx.AsyncBaseTransport | None = None,
    admin_token: str | None = None,
) -> FastAPI:
    """Return a new simulator with these accounts.

    openids: followers of every account. callbacks: the transport of pushes; None: the network.
    admin_token: of the service's API, for explanations.
    """
    client = httpx.AsyncClient(
        transport=callbacks,
        verify=_tls_context(),
        trust_env=False,
        # uvicorn closes idle connections after 5 s; a push must not race with that.
        limits=httpx.Limits(max_connections=None, keepalive_expiry=2),
    )
    state = State(client, admin_token)
    for account in accounts:
        state.accounts[account.appid] = account
        for openid in openids:
            state.meet(account.appid, openid).follow(state.clock.now())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        for task in state.pending:
            task.cancel()
        await client.aclose()

    app = FastAPI(title="WeChat simulator", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.simulator = state
    app.add_middleware(ApiGate, state=state)
    for router in ROUTERS:
        app.include_router(router)
    answer_as_wechat(app)
    return app


def answer_as_wechat(app: FastAPI) -> None:
    """Answer refused API calls, including wrong methods, with HTTP 200, errcode and errmsg."""

    @app.exception_handler(ApiError)
    async def refuse(request: Request, error: ApiError) -> JSONResponse:
        now = state_of(request).clock.now()
        return JSONResponse(refusal(error.errcode, error.detail, now))

    @app.exception_handler(HTTPException)
    async def refuse_method(request: Request, error: HTTPException) -> Response:
        wrong_method = error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        if wrong_method and request.url.path.startswith(API_PREFIXES):
            errcode = 43002 if request.method == "GET" else 43001
            return await refuse(request, ApiError(errcode))
        return await http_exception_handler(request, error)
