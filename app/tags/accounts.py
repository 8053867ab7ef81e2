"""The Official Accounts whose tags can be read and changed."""

from typing import Final

from app.rules.definition.accounts import main_account
from app.settings import Settings

NO_ACCOUNT: Final = (
    "is no Official Account whose AppSecret is known: set WECHAT_APPSECRET, or add the account to "
    "ACCOUNTS_FILE with its appsecret"
)


def accounts_with_tags(settings: Settings) -> list[str]:
    """Return the AppIDs of the accounts for which the service can call WeChat."""
    return [
        account.appid
        for account in settings.accounts.values()
        if account.kind == "oa" and account.appsecret is not None
    ]


def account_for(appid: str | None, settings: Settings) -> str | None:
    """Return the account that is meant; None if the service can't call WeChat for it.

    appid: as given; without it, the main account.
    """
    wanted = main_account(settings) if appid is None else appid
    return wanted if wanted in accounts_with_tags(settings) else None
