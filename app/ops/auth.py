"""Bearer tokens of operators, for everything under `/api`."""

import hashlib
import hmac
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from app.settings import Settings

# auto_error off: a missing token must name the scheme, and only after the 503 below.
scheme = HTTPBearer(scheme_name="admin", description="One of ADMIN_TOKENS", auto_error=False)


def require_admin(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)],
) -> None:
    """Let the request pass if it carries one of ADMIN_TOKENS; a dependency of `/api` routers.

    Raises HTTPException: 503 while no token is configured, 401 otherwise.
    """
    settings: Settings = request.app.state.settings
    if not settings.admin_tokens:
        raise HTTPException(
            HTTPStatus.SERVICE_UNAVAILABLE, "ADMIN_TOKENS is not set, so nobody may use /api"
        )
    if credentials is None or not _is_known(credentials.credentials, settings.admin_tokens):
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED,
            "A valid bearer token is needed",
            headers={"WWW-Authenticate": "Bearer"},
        )
    request.state.operator = fingerprint(credentials.credentials)


def fingerprint(token: str) -> str:
    """Return what a token is called in histories: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()[:8]


AdminDep = Annotated[None, Depends(require_admin)]


def _is_known(given: str, tokens: Iterable[SecretStr]) -> bool:
    """Compare with every token, so that the time taken tells nothing about which one fits."""
    found = False
    for token in tokens:
        found |= hmac.compare_digest(given.encode(), token.get_secret_value().encode())
    return found
