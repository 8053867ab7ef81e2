"""Makes the FastAPI application, whose OpenAPI page works without the Internet."""

import asyncio
from typing import Final

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from app.ops.api_document import operation_id

DOCUMENT: Final = "/openapi.json"


class DocumentThread:
    """ASGI middleware that makes the OpenAPI document in a thread.

    It takes some seconds of a process, in which callbacks must be answered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the application keeps the document once it is made."""
        if scope["type"] == "http" and scope["path"] == DOCUMENT:
            async with self._one_at_a_time:
                await asyncio.to_thread(scope["app"].openapi)
        await self._app(scope, receive, send)


def create_app(
    *, title: str, version: str, description: str = "", lifespan: Lifespan[FastAPI] | None = None
) -> FastAPI:
    """Return a FastAPI application that serves the assets of its /docs page itself."""
    app: FastAPI = FastAPIOffline(
        redoc_url=None,
        openapi_url=DOCUMENT,
        static_url="/docs-assets",
        # A redirect would lead to the host that the request names.
        redirect_slashes=False,
        # A body without Content-Type is read as JSON. This opens nothing to other sites, whose
        # requests have no bearer token.
        strict_content_type=False,
        generate_unique_id_function=operation_id,
        # The framework's own telemetry would record URLs and error messages as they are.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        title=title,
        version=version,
        description=description,
        lifespan=lifespan,
    )
    app.add_middleware(DocumentThread)
    return app
