"""The HTTP server: uvicorn, and a way to cut a connection as a broken network does."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CUT = "simulator.cut"
# As a web server has it. Uvicorn's five seconds are those after which many clients close a
# connection: on a busy machine it would cut off calls that have just begun.
IDLE_SECONDS = 75


class CuttableProtocol(HttpToolsProtocol):
    """Gives each request a function that cuts its connection."""

    def on_message_begin(self) -> None:
        """Put `abort` of the transport into the extensions of the scope."""
        super().on_message_begin()
        self.scope["extensions"] = {CUT: {"abort": self.transport.abort}}


async def cut_connection(scope: Scope, receive: Receive) -> None:
    """Cut the connection without a response. Raises ConnectionAbortedError if that fails."""
    abort: Callable[[], None] | None = scope.get("extensions", {}).get(CUT, {}).get("abort")
    if abort is None:
        raise ConnectionAbortedError
    abort()
    # If this returned before the server has noticed, the server would send a response after all.
    while (await receive())["type"] != "http.disconnect":
        pass


def server_for(app: ASGIApp, host: str, port: int) -> Server:
    """Return a server without access log that ends within a second of a signal."""
    return Server(
        Config(
            app,
            host=host,
            port=port,
            http=CuttableProtocol,
            access_log=False,
            log_level="warning",
            proxy_headers=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=1,
        )
    )
