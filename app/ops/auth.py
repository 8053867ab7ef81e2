"""Checks the bearer tokens of operators."""

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
scheme = HTTPBearer(scheme_name="admin", description="One of ADMIN_TOKENS", auto_error=False)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]

NOT_SET = "ADMIN_TOKENS is not set, so nobody may use /api"
NEEDED = "A valid bearer token is needed"


def require_admin(request: Request, _: Credentials) -> None:
    """Accept a request that `ApiGate` has let through. This is a dependency of the `/api` routers.

    The gate comes first, since FastAPI reads the whole body before it calls a dependency. Without
    the gate nobody is let in. Raises HTTPException 401.
    """
    if getattr(request.state, "operator", None) is None:
        raise HTTPException(HTTPStatus.UNAUTHORIZED, NEEDED, headers={"WWW-Authenticate": "Bearer"})


def bearer_token(scope: Scope) -> str | None:
    """Return the bearer token of a request; None if it has none."""
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    kind, _, token = given.decode("latin-1").partition(" ")
    return token if kind.lower() == "bearer" and token else None


def operator_with(settings: Settings, token: str | None) -> str | None:
    """Return the name of the operator with this token; None if it is not one of ADMIN_TOKENS."""
    if token is None or not _is_known(token, settings.admin_tokens):
        return None
    return fingerprint(token)


def fingerprint(token: str) -> str:
    """Return the name of a token in histories: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()[:8]


AdminDep = Annotated[None, Depends(require_admin)]


def _is_known(given: str, tokens: Iterable[SecretStr]) -> bool:
    # Every token is compared, so that the time does not reveal which one matches.
    found = False
    for token in tokens:
        found |= hmac.compare_digest(given.encode(), token.get_secret_value().encode())
    return found
