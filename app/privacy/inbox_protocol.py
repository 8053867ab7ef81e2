"""What this package needs of the inbox; `callback.erase` implements it.

`callback` stands above this package and is not imported here: the worker passes the object.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.subject import ErasureSubject


class NamedInPushes(NamedTuple):
    """The pushes that are from one person or name them. first, last: CreateTime of the pushes."""

    appid: str
    openid: str
    first: datetime
    last: datetime


class Inbox(Protocol):
    """Functions with a `limit` change up to so many rows and return the number."""

    async def erase_contents(
        self, session: AsyncSession, person: ErasureSubject, limit: int
    ) -> int:
        """Clear the person's payloads up to `person.until`."""
        ...

    async def erase_identity(
        self, session: AsyncSession, person: ErasureSubject, limit: int
    ) -> int:
        """Clear payloads, and replace the OpenID by the pseudonym."""
        ...

    async def erase_unionids(
        self, session: AsyncSession, unionids: Sequence[str], until: datetime, limit: int
    ) -> int:
        """Clear payloads up to `until` that name these UnionIDs."""
        ...

    async def erase_kinds(
        self, session: AsyncSession, person: ErasureSubject, kinds: Sequence[str], limit: int
    ) -> int:
        """Clear payloads of these message types and events."""
        ...

    async def erase_members(
        self, session: AsyncSession, person: ErasureSubject, members: Sequence[str], limit: int
    ) -> int:
        """Remove these members from payloads."""
        ...

    async def erase_older(self, session: AsyncSession, before: datetime, limit: int) -> int:
        """Clear payloads of pushes that arrived before `before`."""
        ...

    async def has_before(self, session: AsyncSession, person: ErasureSubject) -> bool:
        """Return whether there is a push of the person up to `person.until`."""
        ...

    async def first_after(self, session: AsyncSession, person: ErasureSubject) -> datetime | None:
        """Return the CreateTime of the person's first push after `person.until`, if any."""
        ...

    async def named_in(
        self, session: AsyncSession, callback_ids: Sequence[UUID]
    ) -> Sequence[NamedInPushes]:
        """Return the people who sent these pushes or are named in them."""
        ...

    async def unlink(self, session: AsyncSession, appid: str, pseudonym: str) -> None:
        """Replace the dedupe keys of an erased person's pushes by random ones."""
        ...
