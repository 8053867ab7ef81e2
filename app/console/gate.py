"""What every request of the console passes first: origin, body, session, headers.

It is middleware, since FastAPI reads the whole body before it calls a dependency, and so that the
connection with which the session is looked up is given back before a page takes one.
"""

from collections.abc import Mapping
from http import HTTPMethod
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access import operators, sessions
from app.access.sessions import SignedIn
from app.clock import Clock
from app.console.error_pages import error_page, no_operator_page
from app.console.errors import NotSecure, NotSignedIn, OtherOrigin
from app.console.session_cookie import origin_of, session_secret
from app.db.engine import Database
from app.ops.api_body import BodyLimit, BodyLimits, BoundedBody, declared_length, too_large
from app.ops.error_handlers import DATABASE_ERRORS

SAFE_METHODS: Final = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS})
STATIC: Final = "/static/"
# The forms of somebody who is not signed in, and the most that they take.
STRANGERS_FORMS: Final = ("/sign-in/", "/language")
STRANGERS_LIMIT: Final = BodyLimit(32 * 1024, 10)

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NO_STORE: Final = "no-store"


class ConsoleGate:
    """Checks each request before the application sees it. Answers 401, 403, 413 and 503 itself.

    body_limits: by path below the console, for routes that take more than USUAL. Of somebody who is
    not signed in no body is read, but those of STRANGERS_FORMS.
    """

    def __init__(
        self,
        app: ASGIApp,
        database: Database,
        clock: Clock,
        body_limits: Mapping[str, BodyLimit] | None = None,
    ) -> None:
        self._app = app
        self._database = database
        self._clock = clock
        self._body_limits = BodyLimits(body_limits or {})
        self._has_operators = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", NO_STORE)
            await send(message)

        path = path_below(scope)
        if path.startswith(STATIC):
            await self._app(scope, receive, send_with_headers)
            return
        request = Request(scope)
        try:
            require_same_origin(request)
            visitor = await self._visitor(request)
            if visitor is None and not await self._any_operator():
                await no_operator_page(request)(scope, receive, send_with_headers)
                return
            limit = self._body_limit(request, path, visitor)
            if declared_length(scope) > limit.max_bytes:
                raise too_large(limit)
        except (HTTPException, NotSecure, NotSignedIn, OtherOrigin, *DATABASE_ERRORS) as error:
            await error_page(request, error)(scope, receive, send_with_headers)
            return
        scope.setdefault("state", {})["visitor"] = visitor
        await self._app(scope, BoundedBody(receive, limit).receive, send_with_headers)

    def _body_limit(self, request: Request, path: str, visitor: SignedIn | None) -> BodyLimit:
        """Return how much of the body is read. Raises NotSignedIn."""
        if visitor is not None:
            return self._body_limits.of(path)
        if request.method not in SAFE_METHODS and not path.startswith(STRANGERS_FORMS):
            raise NotSignedIn
        return STRANGERS_LIMIT

    async def _visitor(self, request: Request) -> SignedIn | None:
        """Return who is signed in, and note that the session is in use."""
        secret = session_secret(request)
        if secret is None:
            return None
        now = self._clock.now()
        async with self._database.sessions.begin() as session:
            found = await sessions.find(session, secret, now=now)
            if found is not None:
                await sessions.touch(session, found, now=now)
        return found

    async def _any_operator(self) -> bool:
        """Tell whether anybody may sign in. Once there is one, strangers cost no more queries."""
        if not self._has_operators:
            async with self._database.sessions() as session:
                self._has_operators = await operators.any_exists(session)
        return self._has_operators


def path_below(scope: Scope) -> str:
    """Return the path of a request below the place where the console is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def require_same_origin(request: Request) -> None:
    """Let through what changes something only if a page of the console sends it.

    Raises OtherOrigin, and NotSecure if the page was not loaded over HTTPS. Browsers tell with
    Sec-Fetch-Site where a request comes from; `none` is what a person does in the browser itself.
    Old ones, and all over plain HTTP, do not say so, but name the origin.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise OtherOrigin
        return
    given, own = request.headers.get("origin", ""), origin_of(request)
    if given == own:
        return
    # A browser keeps no session that comes over plain HTTP: a link would be used up in vain.
    if given.startswith("http://") and urlsplit(given).hostname == urlsplit(own).hostname:
        raise NotSecure
    raise OtherOrigin
