"""The cookie that holds the secret of an operator's session.

`__Host-` binds it to this host and asks for HTTPS. A browser takes no such cookie from plain HTTP,
so on the machine itself the name is a plain one. SameSite=Strict: no page of another site sends it.
"""

from ipaddress import ip_address
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

SECURE_NAME: Final = "__Host-oa_session"
LOOPBACK_NAME: Final = "oa_session"
# A proxy adds one of them.
FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-proto")


def origin_of(connection: HTTPConnection) -> str:
    """Return the origin, as browsers write it, at which the sender of a request finds the console.

    A session needs HTTPS, but on the machine itself; a proxy may not have said that it had it.
    """
    scheme, usual_port = ("http", 80) if _is_plain_loopback(connection) else ("https", 443)
    host = connection.url.netloc.lower().removesuffix(f":{usual_port}")
    return f"{scheme}://{host}"


def session_secret(connection: HTTPConnection) -> str | None:
    """Return the secret that the browser sends; None if it sends none."""
    return connection.cookies.get(_name(connection)) or None


def set_session(connection: HTTPConnection, response: Response, secret: str) -> None:
    """Let the browser keep the secret until it is closed; the session itself ends by its times."""
    response.set_cookie(
        _name(connection),
        secret,
        path="/",
        secure=not _is_plain_loopback(connection),
        httponly=True,
        samesite="strict",
    )


def clear_session(connection: HTTPConnection, response: Response) -> None:
    """Let the browser forget the secret."""
    response.delete_cookie(
        _name(connection),
        path="/",
        secure=not _is_plain_loopback(connection),
        httponly=True,
        samesite="strict",
    )


def _name(connection: HTTPConnection) -> str:
    return LOOPBACK_NAME if _is_plain_loopback(connection) else SECURE_NAME


def _is_plain_loopback(connection: HTTPConnection) -> bool:
    """Tell whether a browser on this machine calls without TLS and without a proxy."""
    client = connection.client
    forwarded = any(name in connection.headers for name in FORWARDED)
    return (
        connection.url.scheme == "http"
        and not forwarded
        and _is_loopback(connection.url.hostname or "")
        and client is not None
        and _is_loopback(client.host)
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
