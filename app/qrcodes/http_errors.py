"""HTTP errors of `/api/qrcodes`."""

from typing import Any, Final
from uuid import UUID

from fastapi import HTTPException

from app.api_errors import Detail, InvalidRequest, Problem

UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Detail, "description": "It does not exist"}
}
CONFLICT: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Detail, "description": "A scene, slug or key is taken, or there are too many"}
}
NOT_MADE: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Detail, "description": "WeChat has not made it yet"}
}


def unknown(qrcode_id: UUID) -> HTTPException:
    """Return the 404 of a code that does not exist."""
    return HTTPException(404, f"QR code {qrcode_id} does not exist")


def unknown_list(list_id: UUID) -> HTTPException:
    """Return the 404 of a list that does not exist."""
    return HTTPException(404, f"list {list_id} does not exist")


def unprocessable(field: str, message: str, part: str = "body") -> InvalidRequest:
    """Return a 422 for one member of a part of the request. message: says how to correct it."""
    return InvalidRequest([Problem(loc=[part, field], msg=message, type="value_error")])


NO_ACCOUNT: Final = (
    "is no Official Account whose AppSecret is known: set WECHAT_APPSECRET, or add the account to "
    "ACCOUNTS_FILE with its appsecret"
)
