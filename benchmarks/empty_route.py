"""(a) The yardstick: a FastAPI route that does nothing."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse


def build() -> FastAPI:
    """Return the application; uvicorn's factory."""
    app = FastAPI()

    @app.post("/callback/{appid}")
    async def callback(appid: str) -> PlainTextResponse:  # noqa: ARG001  # as the real path has it
        return PlainTextResponse("success")

    return app
