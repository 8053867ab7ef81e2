"""Makes the FastAPI application, whose OpenAPI page works without the Internet."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import Lifespan

from app.ops.api_document import operation_id


def create_app(
    *, title: str, version: str, description: str = "", lifespan: Lifespan[FastAPI] | None = None
) -> FastAPI:
    """Return a FastAPI application that serves the assets of its /docs page itself."""
    app: FastAPI = FastAPIOffline(
        redoc_url=None,
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
    return app
