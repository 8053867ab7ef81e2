"""Which accounts can send notices. Pure."""

from collections.abc import Mapping

from app.settings import Account

NOT_SENDING = (
    "is no Official Account whose AppSecret is known: add it to the settings with its appsecret"
)


def can_send(accounts: Mapping[str, Account], appid: str) -> bool:
    """Return whether an account of the settings can send notices."""
    account = accounts.get(appid)
    return account is not None and account.kind == "oa" and account.appsecret is not None
