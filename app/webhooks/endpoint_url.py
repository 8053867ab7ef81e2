"""Checks the URL of a webhook when it is saved; `send` checks it again with its addresses."""

from app.http_client.url_policy import Policy, parse_url
from app.settings import Settings


def endpoint_policy(settings: Settings) -> Policy:
    """Return what the settings allow as the URL of a webhook."""
    return Policy(http=settings.webhook_allow_http, private=settings.webhook_allow_private)


def check_endpoint_url(url: str, settings: Settings) -> None:
    """Raise BadUrl if no event may be sent to this URL."""
    parse_url(url, endpoint_policy(settings))
