"""The address of a webhook as a role may see it. Pure."""

from urllib.parse import urlsplit

from app.access.roles import Role


def shown_url(url: str, role: Role) -> str:
    """Return the whole address for an editor, else its host: the rest may hold a secret."""
    if role.allows(Role.EDITOR):
        return url
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


def confirmation_of(url: str) -> str:
    """Return what has to be typed before the webhook is deleted: its host."""
    return urlsplit(url).netloc
