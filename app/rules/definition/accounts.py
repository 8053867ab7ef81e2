"""The accounts that rules and questions may name."""

from collections.abc import Iterable

from app.rules.definition.validation_errors import Problem
from app.settings import Settings


def receiving_accounts(settings: Settings) -> list[str]:
    """Return the AppIDs of the accounts that receive messages, sorted."""
    return sorted(account.appid for account in settings.accounts.values() if account.receives)


def main_account(settings: Settings) -> str | None:
    """Return the AppID of WECHAT_APPID, or else of the first account that receives messages."""
    receiving = receiving_accounts(settings)
    if settings.wechat_appid in receiving:
        return settings.wechat_appid
    return next(iter(receiving), None)


def unknown_account(appid: str, choice: Iterable[str], *where: str | int) -> Problem:
    """Return the problem of an AppID that is not configured.

    choice: what may be used instead. where: the path of the object that names the AppID.
    """
    return Problem(
        loc=[*where, "appid"],
        msg=f"{appid} is not an account that receives messages here: use {' or '.join(choice)}",
        type="not_sendable",
    )
