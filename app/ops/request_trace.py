"""The id of a request to `/api` or the console: in each of its log lines, and in its answer."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import tracing

HEADER: Final = b"x-request-id"


async def traced_request(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one HTTP request in a trace of its own. Its id is the header `X-Request-ID`."""
    path = scope["path"]
    # Load balancers and Prometheus ask every few seconds: no span.
    name = "request" if path.startswith(("/api/", "/console")) else None
    with tracing.trace(name) as request_id:

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (HEADER, str(request_id).encode())]
                tracing.note({"http.response.status_code": message["status"]})
            await send(message)

        await app(scope, receive, send_with_id)
        route = getattr(scope.get("route"), "path", None)
        if route is not None:  # the path itself may hold an OpenID
            tracing.note({"http.request.method": scope["method"], "http.route": route})
