"""Errors of links.

LinkError
 ├ SlugTaken       another link has this slug
 ├ TooManyLinks    there are as many links as there may be
 └ QuotaUsedUp     WeChat makes no more links of this mini-program for now
"""

from datetime import datetime


class LinkError(Exception):
    """Base class of all errors of this package."""


class SlugTaken(LinkError):
    """Another link has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"another link has the slug {slug}: choose another one, or leave it out")


class TooManyLinks(LinkError):
    """There are as many links as there may be."""


class QuotaUsedUp(LinkError):
    """WeChat's quota for links of this mini-program is used up. until: when to ask again."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"the quota for links is used up until {until.isoformat()}")
        self.until = until
