"""A link as a web process knows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.links.models import Link


@dataclass(frozen=True, slots=True)
class LiveLink:
    """What an open needs. url_link: None while there is none; expires_at: its end."""

    id: UUID
    slug: str
    name: str
    query: str
    url_link: str | None
    expires_at: datetime | None
    fallback_url: str | None

    def url_link_at(self, now: datetime) -> str | None:
        """Return the URL Link if it lives."""
        return self.url_link if self.expires_at is not None and now < self.expires_at else None


async def read_link(session: AsyncSession, slug: str) -> LiveLink | None:
    """Return the link of a slug; None if there is none."""
    row = (await session.execute(_COLUMNS.where(Link.slug == slug))).one_or_none()
    return None if row is None else LiveLink(*row)


_COLUMNS: Final = select(
    Link.id,
    Link.slug,
    Link.name,
    Link.query,
    Link.url_link,
    Link.url_link_expires_at,
    Link.fallback_url,
)
