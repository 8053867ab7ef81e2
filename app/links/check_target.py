"""Checks what a link opens before WeChat is asked. Pure."""

from collections.abc import Mapping

from app.links.schemas import LinkIn
from app.links.target_query import BadQuery, check_query
from app.settings import Account


def check_target(
    link: LinkIn, slug: str, accounts: Mapping[str, Account]
) -> tuple[str, str] | None:
    """Return the member that is wrong and how to correct it; None if nothing is.

    accounts: those of the settings, by AppID.
    """
    account = accounts.get(link.appid)
    if account is None or account.kind != "mini_program" or account.appsecret is None:
        return (
            "appid",
            "is no mini-program whose AppSecret is known: add it to ACCOUNTS_FILE with "
            'kind = "mini_program" and its appsecret',
        )
    try:
        check_query(link.query, slug, link.utm)
    except BadQuery as error:
        return "query", str(error)
    return None
