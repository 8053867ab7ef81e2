"""What this room needs of the inbox, which belongs to a later step: the worker hands it in."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.subject import ErasureSubject


class NamedInPushes(NamedTuple):
    """What one person pushed, or is named in. first, last: by CreateTime."""

    appid: str
    openid: str
    first: datetime
    last: datetime


class Inbox(Protocol):
    """Each function changes up to `limit` rows and returns how many; see `callback.erase`."""

    async def erase_contents(
        self, session: AsyncSession, person: ErasureSubject, limit: int
    ) -> int:
        """Clear payloads."""
        ...

    async def erase_identity(
        self, session: AsyncSession, person: ErasureSubject, limit: int
    ) -> int:
        """Clear payloads, and put a pseudonym in the place of the OpenID."""
        ...

    async def erase_unionids(
        self, session: AsyncSession, unionids: Sequence[str], until: datetime, limit: int
    ) -> int:
        """Clear payloads that name these UnionIDs."""
        ...

    async def erase_kinds(
        self, session: AsyncSession, person: ErasureSubject, kinds: Sequence[str], limit: int
    ) -> int:
        """Clear payloads of these message types and events."""
        ...

    async def erase_members(
        self, session: AsyncSession, person: ErasureSubject, members: Sequence[str], limit: int
    ) -> int:
        """Remove members from payloads."""
        ...

    async def erase_older(self, session: AsyncSession, before: datetime, limit: int) -> int:
        """Clear payloads from before then."""
        ...

    async def has_before(self, session: AsyncSession, person: ErasureSubject) -> bool:
        """Tell whether there is a push of the person from before then."""
        ...

    async def first_after(self, session: AsyncSession, person: ErasureSubject) -> datetime | None:
        """Return the CreateTime of the person's first push since what is erased."""
        ...

    async def named_in(
        self, session: AsyncSession, callback_ids: Sequence[UUID]
    ) -> Sequence[NamedInPushes]:
        """Return who sent these pushes or is named in them."""
        ...

    async def unlink(self, session: AsyncSession, appid: str, pseudonym: str) -> None:
        """Make dedupe keys say nothing of an erased person."""
        ...
