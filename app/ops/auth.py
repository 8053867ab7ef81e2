"""Checks bearer tokens: those of ADMIN_TOKENS, and that a caller is known."""

import hashlib
import hmac
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr
from starlette.types import Scope

from app.settings import Settings

# auto_error is off, because `ApiGate` has refused a wrong token long before. This is here for the
# OpenAPI document.
scheme = HTTPBearer(
    scheme_name="token",
    description="A token of `oa-bridge tokens add` with the scope that the operation names, or one "
    "of ADMIN_TOKENS, which have every scope",
    auto_error=False,
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]

NEEDED = "A valid bearer token is needed"


def require_caller(request: Request, _: Credentials) -> None:
    """Accept a request that `ApiGate` has let through. This is a dependency of the `/api` routers.

    The gate comes first, since FastAPI reads the whole body before it calls a dependency. Without
    the gate nobody is let in. Raises HTTPException 401.
    """
    if getattr(request.state, "caller", None) is None:
        raise HTTPException(HTTPStatus.UNAUTHORIZED, NEEDED, headers={"WWW-Authenticate": "Bearer"})


def bearer_token(scope: Scope) -> str | None:
    """Return the bearer token of a request; None if it has none."""
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    kind, _, token = given.decode("latin-1").partition(" ")
    return token if kind.lower() == "bearer" and token else None


def admin_name(settings: Settings, token: str) -> str | None:
    """Return the name under which one of ADMIN_TOKENS acts; None if the token is none of them."""
    return fingerprint(token) if _is_known(token, settings.admin_tokens) else None


def fingerprint(token: str) -> str:
    """Return the name of an admin token: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()[:8]


def _is_known(given: str, tokens: Iterable[SecretStr]) -> bool:
    # Every token is compared, so that the time does not reveal which one matches.
    found = False
    for token in tokens:
        found |= hmac.compare_digest(given.encode(), token.get_secret_value().encode())
    return found
