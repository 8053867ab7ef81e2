"""The Official Accounts that have QR codes."""

from app.rules.definition.accounts import main_account
from app.settings import Settings


def account_for(appid: str | None, settings: Settings) -> str | None:
    """Return the account that a code is of; None if the service can't ask WeChat for its codes.

    appid: as given; without it, the main account.
    """
    wanted = main_account(settings) if appid is None else appid
    return wanted if wanted in accounts_with_codes(settings) else None


def accounts_with_codes(settings: Settings) -> list[str]:
    """Return the AppIDs of the accounts whose codes the service can ask WeChat for."""
    return [
        account.appid
        for account in settings.accounts.values()
        if account.kind == "oa" and account.appsecret is not None
    ]
