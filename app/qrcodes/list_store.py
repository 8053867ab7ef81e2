"""SQL of the lists of codes that were made by one call."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.qrcodes import counts, store
from app.qrcodes.errors import KeyTaken
from app.qrcodes.list_csv import MAX_CODES, ListedCode
from app.qrcodes.models import QrCode, QrCodeList, QrKind
from app.qrcodes.scene import new_scene


@dataclass(frozen=True, slots=True)
class NewList:
    """What one call makes. key: a repeated call with the same key makes nothing further."""

    appid: str
    kind: QrKind
    codes: Sequence[ListedCode]
    scene_prefix: str = ""
    key: str | None = None

    def digest(self) -> str:
        """Return the same for the same list alone."""
        asked = [self.appid, self.kind, self.scene_prefix, [[c.name, c.scene] for c in self.codes]]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Progress:
    """How many codes of a list WeChat has made, and how it was when it was asked last for others.

    waiting: it was not asked yet.
    """

    made: int
    refused: int
    unanswered: int
    waiting: int

    @property
    def total(self) -> int:
        """All codes that are not deleted."""
        return self.made + self.refused + self.unanswered + self.waiting

    @property
    def is_over(self) -> bool:
        """Whether WeChat has made or refused each of them."""
        return not (self.waiting or self.unanswered)


async def add(session: AsyncSession, actor: Actor, new: NewList, now: datetime) -> QrCodeList:
    """Add a list with its codes and their jobs, or return the one that has its key already.

    Raises KeyTaken, ScenesTaken, TooManyCodes; the caller then rolls back.
    """
    key = str(uuid4()) if new.key is None else new.key
    list_id = uuid7()
    # Of two processes with one key, the second waits here until the first has committed.
    inserted = await session.scalar(
        insert(QrCodeList)
        .values(
            id=list_id,
            appid=new.appid,
            kind=new.kind,
            key=key,
            digest=new.digest(),
            total=len(new.codes),
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(QrCodeList.id)
    )
    if inserted is None:
        return await _same_list(session, new, key)
    await counts.take(session, new.appid, new.kind, len(new.codes))
    await store.insert_rows(session, list(_rows(new, list_id, now)))
    subject = Subject(SubjectKind.QRCODES, str(list_id))
    await audit.record(session, actor, Action.QRCODES_ADDED, subject, now=now, count=len(new.codes))
    return await session.get_one(QrCodeList, list_id)


async def _same_list(session: AsyncSession, new: NewList, key: str) -> QrCodeList:
    found = (
        await session.scalars(
            select(QrCodeList).where(QrCodeList.appid == new.appid, QrCodeList.key == key)
        )
    ).one()
    if found.digest != new.digest():
        raise KeyTaken(key)
    return found


def _rows(new: NewList, list_id: UUID, now: datetime) -> Sequence[dict[str, object]]:
    return [
        store.new_row(
            new.appid,
            new.kind,
            code.name,
            now,
            scene=code.scene or new_scene(new.scene_prefix),
            list_id=list_id,
            number=number,
        )
        for number, code in enumerate(new.codes, 1)
    ]


async def page(session: AsyncSession, limit: int) -> Sequence[QrCodeList]:
    """Return the newest lists."""
    found = await session.scalars(select(QrCodeList).order_by(QrCodeList.id.desc()).limit(limit))
    return found.all()


async def progress(session: AsyncSession, list_id: UUID) -> Progress:
    """Return how far a list is. Deleted codes are not counted."""
    is_made, is_asked = QrCode.url.is_not(None), QrCode.failed_at.is_not(None)
    is_refused = QrCode.errcode.is_not(None)
    row = (
        await session.execute(
            select(
                func.count().filter(is_made),
                func.count().filter(~is_made, is_asked, is_refused),
                func.count().filter(~is_made, is_asked, ~is_refused),
                func.count().filter(~is_made, ~is_asked),
            ).where(QrCode.list_id == list_id)
        )
    ).one()
    return Progress(*row)


async def codes(session: AsyncSession, list_id: UUID) -> Sequence[QrCode]:
    """Return the codes of a list in its order."""
    found = await session.scalars(
        select(QrCode).where(QrCode.list_id == list_id).order_by(QrCode.number).limit(MAX_CODES)
    )
    return found.all()
