"""SQL of `/api/qrcodes`: adds, renames, deletes and lists codes. The audit log has every change."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit, audit_values
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.db.queue import enqueue
from app.qrcodes import counts
from app.qrcodes.errors import ScenesTaken, SlugTaken
from app.qrcodes.jobs import renew_job
from app.qrcodes.life import NEVER
from app.qrcodes.models import QrCode, QrKind
from app.qrcodes.scene import new_scene
from app.qrcodes.schemas import QrCodeIn

_SLUG_BYTES: Final = 6


async def page(
    session: AsyncSession,
    *,
    before: UUID | None,
    limit: int,
    appid: str | None = None,
    scene: str | None = None,
    list_id: UUID | None = None,
) -> Sequence[QrCode]:
    """Return codes, the newest first. before: the id of the last code of the page before."""
    query = select(QrCode).order_by(QrCode.id.desc()).limit(limit)
    if before is not None:
        query = query.where(QrCode.id < before)
    for column, value in (
        (QrCode.appid, appid),
        (QrCode.scene, scene),
        (QrCode.list_id, list_id),
    ):
        if value is not None:
            query = query.where(column == value)
    return (await session.scalars(query)).all()


async def add(
    session: AsyncSession, actor: Actor, appid: str, code_in: QrCodeIn, now: datetime
) -> QrCode:
    """Add a code, and enqueue the job that gets it from WeChat.

    Raises ScenesTaken, SlugTaken, TooManyCodes.
    """
    await counts.take(session, appid, code_in.kind, 1)
    row = new_row(
        appid,
        code_in.kind,
        code_in.name,
        now,
        scene=code_in.scene or new_scene(),
        slug=code_in.slug,
    )
    await insert_rows(session, [row])
    added = await session.get_one(QrCode, row["id"])
    after = audit_values.shown(_members(added))
    await audit.record(
        session, actor, Action.QRCODE_ADDED, subject_of(added.id), now=now, after=after
    )
    return added


def new_row(
    appid: str,
    kind: QrKind,
    name: str,
    now: datetime,
    *,
    scene: str,
    slug: str | None = None,
    **more: object,
) -> dict[str, Any]:
    """Return the columns of a new code."""
    return {
        "id": uuid7(),
        "slug": slug or secrets.token_urlsafe(_SLUG_BYTES),
        "name": name,
        "appid": appid,
        "kind": kind,
        "scene": scene,
        "created_at": now,
        "renew_at": now,
        "attempts": 0,
        **more,
    }


async def insert_rows(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert all of these codes of one account, and enqueue their jobs.

    Raises ScenesTaken, SlugTaken; the caller then rolls back.
    """
    # In one order, so that of two processes with the same scenes one waits for the other.
    ordered = sorted(rows, key=lambda row: row["scene"])
    statement = insert(QrCode).on_conflict_do_nothing().returning(QrCode.id)
    inserted = set((await session.scalars(statement, ordered)).all())
    lacking = [row for row in ordered if row["id"] not in inserted]
    if lacking:
        await _raise_taken(session, lacking)
    await enqueue(session, [renew_job(row["id"]) for row in rows])


async def _raise_taken(session: AsyncSession, lacking: Sequence[Mapping[str, Any]]) -> None:
    scenes = await session.scalars(
        select(QrCode.scene)
        .where(
            QrCode.appid == lacking[0]["appid"],
            QrCode.scene.in_([row["scene"] for row in lacking]),
        )
        .order_by(QrCode.scene)
    )
    taken = scenes.all()
    if taken:
        raise ScenesTaken(taken)
    raise SlugTaken(lacking[0]["slug"])


async def locked(session: AsyncSession, qrcode_id: UUID) -> QrCode | None:
    """Return a code with its row locked."""
    return await session.get(QrCode, qrcode_id, with_for_update=True, populate_existing=True)


async def rename(
    session: AsyncSession, actor: Actor, code: QrCode, name: str, now: datetime
) -> None:
    """Give a locked code another name."""
    before, code.name = code.name, name
    await audit.record(
        session,
        actor,
        Action.QRCODE_CHANGED,
        subject_of(code.id),
        now=now,
        before=before,
        after=name,
    )


async def renew_now(session: AsyncSession, actor: Actor, code: QrCode, now: datetime) -> bool:
    """Let the worker ask WeChat for a locked code at once.

    Returns False for a permanent code that WeChat has made: there is nothing to ask for.
    """
    if code.kind is QrKind.PERMANENT and code.url is not None:
        return False
    code.renew_at = now
    await enqueue(session, [renew_job(code.id)])
    await audit.record(session, actor, Action.QRCODE_RENEWED, subject_of(code.id), now=now)
    return True


async def end_renewal(session: AsyncSession, qrcode_ids: Sequence[UUID]) -> None:
    """Let temporary codes end at WeChat: they are not renewed any more."""
    await session.execute(
        update(QrCode)
        .where(QrCode.id.in_(qrcode_ids), QrCode.kind == QrKind.TEMPORARY)
        .values(renew_at=NEVER)
    )


async def remove(session: AsyncSession, actor: Actor, qrcode_id: UUID, now: datetime) -> bool:
    """Delete a code and its figures; return whether it existed.

    WeChat goes on to report its scans until it ends there.
    """
    found = await session.get(QrCode, qrcode_id)
    if found is None:
        return False
    await counts.lock(session, found.appid, found.kind)
    code = await locked(session, qrcode_id)
    if code is None:
        return False
    if code.kind is QrKind.TEMPORARY or not code.may_exist:
        await counts.give_back(session, code.appid, code.kind)
    before = audit_values.shown(_members(code))
    await session.delete(code)
    await audit.record(
        session, actor, Action.QRCODE_DELETED, subject_of(qrcode_id), now=now, before=before
    )
    return True


def _members(code: QrCode) -> audit_values.Members:
    """Return what the audit log shows of a code."""
    return {
        "name": code.name,
        "appid": code.appid,
        "kind": code.kind.value,
        "scene": code.scene,
        "slug": code.slug,
    }


def subject_of(qrcode_id: UUID) -> Subject:
    """Return a code as the subject of an audit entry."""
    return Subject(SubjectKind.QRCODE, str(qrcode_id))
