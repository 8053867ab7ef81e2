"""Checks the bearer tokens of operators for all of `/api`."""

import hashlib
import hmac
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from app.settings import Settings

# auto_error is off, so that the 503 below comes first and the 401 names the scheme.
scheme = HTTPBearer(scheme_name="admin", description="One of ADMIN_TOKENS", auto_error=False)


def require_admin(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)],
) -> None:
    """Accept a request that has one of ADMIN_TOKENS. This is a dependency of the `/api` routers.

    Raises HTTPException: 503 if no token is configured, 401 if the token is missing or wrong.
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
    """Return the name of a token in histories: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()[:8]


AdminDep = Annotated[None, Depends(require_admin)]


def _is_known(given: str, tokens: Iterable[SecretStr]) -> bool:
    # Every token is compared, so that the time does not reveal which one matches.
    found = False
    for token in tokens:
        found |= hmac.compare_digest(given.encode(), token.get_secret_value().encode())
    return found
