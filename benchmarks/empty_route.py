"""(a) The reference: a FastAPI route that does nothing."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse


def build() -> FastAPI:
    """Return the application; uvicorn calls this as its factory."""
    app = FastAPI()

    @app.post("/callback/{appid}")
    async def callback(appid: str) -> PlainTextResponse:  # noqa: ARG001  # as in the real path
        return PlainTextResponse("success")

    return app
