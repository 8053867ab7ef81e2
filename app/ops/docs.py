"""The application object, whose OpenAPI page loads nothing from elsewhere."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import Lifespan


def create_app(
    *, title: str, version: str, description: str = "", lifespan: Lifespan[FastAPI] | None = None
) -> FastAPI:
    """Return a FastAPI whose /docs works without the internet: its assets are served from here."""
    app: FastAPI = FastAPIOffline(
        redoc_url=None,
        static_url="/docs-assets",
        title=title,
        version=version,
        description=description,
        lifespan=lifespan,
    )
    return app
