"""HTTP errors of `/api/menus`."""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import HTTPException, Request

from app.api_errors import MAX_PROBLEMS, Detail, InvalidRequest, Problem
from app.menus.check import MenuProblem
from app.menus.errors import MenuError, UnknownVersion
from app.settings import Settings
from app.wechat.errcodes import explain
from app.wechat.errors import ApiError
from app.wechat.ids import AppId

Responses = dict[int | str, dict[str, Any]]

UNKNOWN: Final[Responses] = {
    404: {"model": Detail, "description": "The account or the version does not exist"}
}
CONFLICT: Final[Responses] = {
    409: {"model": Detail, "description": "The state of the menu does not allow it"}
}
NOT_A_FOLLOWER: Final = 65302
# Without the AppID: whatever stands in the path would be told back, control characters too.
NO_ACCOUNT: Final = (
    "the path names no Official Account of the settings: correct the AppID, or add the account "
    "to the settings"
)


def official_account(request: Request, appid: str, *, calls_wechat: bool = False) -> AppId:
    """Return the AppID of an Official Account of the settings. Raises HTTPException.

    calls_wechat: whether its AppSecret is needed.
    """
    settings: Settings = request.app.state.settings
    account = settings.accounts.get(appid)
    if account is None or account.kind != "oa":
        raise HTTPException(404, NO_ACCOUNT)
    if calls_wechat and account.appsecret is None:
        raise HTTPException(409, f"{appid} has no AppSecret: set it, so that WeChat can be asked")
    return AppId(appid)


def conflict(error: MenuError) -> HTTPException:
    """Return the 404 or 409 of an error."""
    return HTTPException(404 if isinstance(error, UnknownVersion) else 409, str(error))


def not_a_follower(error: ApiError) -> InvalidRequest:
    """Return the 422 for an OpenID that WeChat does not know as a follower (65302)."""
    known = explain(NOT_A_FOLLOWER, "en")
    rid = "" if error.rid is None else f" (rid {error.rid})"
    message = f"is refused by WeChat: {known.meaning} {known.fix}{rid}"
    errcode = f"errcode_{NOT_A_FOLLOWER}"
    return InvalidRequest([Problem(loc=["body", "openid"], msg=message, type=errcode)])


def bad_days(message: str) -> InvalidRequest:
    """Return the 422 for the first day of a question."""
    return InvalidRequest([Problem(loc=["query", "from"], msg=message, type="value_error")])


def invalid_menu(problems: Iterable[MenuProblem]) -> InvalidRequest:
    """Return the 422 for a draft that WeChat would refuse; `type` holds the errcode."""
    return InvalidRequest(
        [
            Problem(
                loc=["menu", *problem.loc],
                msg=problem.text,
                type="value_error" if problem.errcode is None else f"errcode_{problem.errcode}",
            )
            for problem in list(problems)[:MAX_PROBLEMS]
        ]
    )
