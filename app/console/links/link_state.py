"""What a link's state is called. Pure."""

from datetime import datetime
from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_
from app.links.models import Link

LIVE: Final = Label(N_("works"), Level.GOOD)
WAITING: Final = Label(N_("waits for the worker"), Level.LOOK)
FALLS_BACK: Final = Label(N_("falls back"), Level.FAULT)
NOT_RENEWED: Final = Label(N_("works, but is not renewed"), Level.LOOK)


def state_of(link: Link, now: datetime) -> Label:
    """Return the state of a link."""
    lives = link.url_link_expires_at is not None and now < link.url_link_expires_at
    if link.failed_at is not None:
        return NOT_RENEWED if lives else FALLS_BACK
    return LIVE if lives else WAITING
