"""SQL of menus: drafts, and versions that are to be published. The audit log has every change."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.db.queue import enqueue
from app.menus.as_sent import as_sent
from app.menus.document import Menu
from app.menus.errors import (
    DraftChanged,
    Finished,
    Incomplete,
    NothingBefore,
    TooLate,
    Unfinished,
    UnknownVersion,
)
from app.menus.jobs import publish_job
from app.menus.models import AccountMenu, MenuButton, MenuVersion, VersionState
from app.menus.new_mark import new_mark
from app.menus.page_path import Attribution
from app.menus.steps import Progress

# Earlier ones that were published are deleted; those that were found at WeChat stay.
MAX_VERSIONS: Final = 500


async def read(session: AsyncSession, appid: str, now: datetime) -> AccountMenu:
    """Return the draft of an account; an account without one has an empty one, not stored."""
    found = await session.get(AccountMenu, appid)
    return found or AccountMenu(
        appid=appid, draft=_json(Menu()), revision=0, updated_at=now, last_number=0
    )


async def save_draft(
    session: AsyncSession,
    actor: Actor,
    appid: str,
    menu: Menu,
    now: datetime,
    *,
    revision: int | None,
) -> AccountMenu:
    """Replace the draft. revision: of the one that was read; None: any. Raises DraftChanged."""
    account = await _locked(session, appid, now)
    _require(account, revision)
    return await _set_draft(session, actor, account, _json(menu), now, Action.MENU_CHANGED)


async def publish(
    session: AsyncSession,
    actor: Actor,
    appid: str,
    now: datetime,
    *,
    revision: int,
) -> MenuVersion:
    """Make a version of the draft, and enqueue its job. The draft is checked already.

    Raises DraftChanged, Unfinished.
    """
    account = await _locked(session, appid, now)
    _require(account, revision)
    return await _publish(session, actor, account, account.draft, now)


async def undo(session: AsyncSession, actor: Actor, appid: str, now: datetime) -> MenuVersion:
    """Publish again what was at WeChat before the version that is live.

    Raises NothingBefore, Incomplete, Unfinished.
    """
    account = await _locked(session, appid, now)
    live = await version_of(session, appid, account.live_number or 0)
    if live is None or live.previous is None:
        raise NothingBefore
    before = await version_of(session, appid, live.previous)
    if before is None:
        raise NothingBefore
    if before.left_out:
        raise Incomplete(before.number)
    return await _publish(session, actor, account, before.menu, now, restored_from=before.number)


async def restore(
    session: AsyncSession, actor: Actor, appid: str, number: int, now: datetime
) -> AccountMenu:
    """Make the menu of a version the draft. Raises UnknownVersion."""
    account = await _locked(session, appid, now)
    version = await version_of(session, appid, number)
    if version is None:
        raise UnknownVersion(number)
    return await _set_draft(
        session, actor, account, version.menu, now, Action.MENU_RESTORED, number
    )


async def stop(
    session: AsyncSession, actor: Actor, appid: str, number: int, now: datetime
) -> MenuVersion:
    """Let the job end a publication and restore what was there.

    Raises UnknownVersion, Finished, TooLate.
    """
    version = await session.scalar(
        select(MenuVersion)
        .where(MenuVersion.appid == appid, MenuVersion.number == number)
        .with_for_update()
    )
    if version is None:
        raise UnknownVersion(number)
    if version.state is not VersionState.PUBLISHING:
        raise Finished(number)
    if Progress.of(version).is_deleting:
        raise TooLate(number)
    version.stop = True
    version.try_at = now
    await audit.record(
        session, actor, Action.MENU_STOPPED, subject_of(appid), now=now, after=number
    )
    await enqueue(session, [publish_job(version.id)])
    return version


async def versions(
    session: AsyncSession, appid: str, *, before: int | None, limit: int
) -> Sequence[MenuVersion]:
    """Return versions, the newest first. before: the number of the last of the page before."""
    query = (
        select(MenuVersion)
        .where(MenuVersion.appid == appid)
        .order_by(MenuVersion.number.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(MenuVersion.number < before)
    return (await session.scalars(query)).all()


async def version_of(session: AsyncSession, appid: str, number: int) -> MenuVersion | None:
    """Return a version."""
    return await session.scalar(
        select(MenuVersion).where(MenuVersion.appid == appid, MenuVersion.number == number)
    )


async def unfinished(session: AsyncSession, appid: str) -> MenuVersion | None:
    """Return the version that is being published or withdrawn."""
    return await session.scalar(
        select(MenuVersion).where(MenuVersion.appid == appid, MenuVersion.try_at.is_not(None))
    )


def subject_of(appid: str) -> Subject:
    """Return the menu of an account as the subject of an audit entry."""
    return Subject(SubjectKind.MENU, appid)


async def _locked(session: AsyncSession, appid: str, now: datetime) -> AccountMenu:
    await session.execute(
        insert(AccountMenu)
        .values(appid=appid, draft=_json(Menu()), revision=0, updated_at=now, last_number=0)
        .on_conflict_do_nothing()
    )
    return await session.get_one(AccountMenu, appid, with_for_update=True, populate_existing=True)


def _require(account: AccountMenu, revision: int | None) -> None:
    if revision is not None and revision != account.revision:
        raise DraftChanged(account.revision)


async def _set_draft(
    session: AsyncSession,
    actor: Actor,
    account: AccountMenu,
    draft: dict[str, object],
    now: datetime,
    action: Action,
    number: int | None = None,
) -> AccountMenu:
    before = account.revision
    account.draft = draft
    account.revision += 1
    account.updated_at = now
    await audit.record(
        session,
        actor,
        action,
        subject_of(account.appid),
        now=now,
        before=before if number is None else number,
        after=account.revision,
    )
    return account


async def _publish(
    session: AsyncSession,
    actor: Actor,
    account: AccountMenu,
    draft: dict[str, object],
    now: datetime,
    *,
    restored_from: int | None = None,
) -> MenuVersion:
    other = await unfinished(session, account.appid)
    if other is not None:
        raise Unfinished(other.number)
    account.last_number += 1
    mark = new_mark()
    attribution = Attribution(account.appid, account.last_number, mark)
    version = MenuVersion(
        id=uuid7(),
        appid=account.appid,
        number=account.last_number,
        mark=mark,
        state=VersionState.PUBLISHING,
        menu=draft,
        sent=as_sent(Menu.model_validate(draft), attribution),
        left_out=[],
        restored_from=restored_from,
        actor_kind=actor.kind.value,
        actor_name=actor.name,
        created_at=now,
        default_created=False,
        menuids=[],
        deleted_all=False,
        stop=False,
        try_at=now,
        attempts=0,
    )
    session.add(version)
    await session.flush()
    await _forget_old_ones(session, account)
    await audit.record(
        session,
        actor,
        Action.MENU_PUBLISHED,
        subject_of(account.appid),
        now=now,
        after=version.number,
    )
    await enqueue(session, [publish_job(version.id)])
    return version


async def _forget_old_ones(session: AsyncSession, account: AccountMenu) -> None:
    await session.execute(
        delete(MenuVersion).where(
            MenuVersion.appid == account.appid,
            MenuVersion.number <= account.last_number - MAX_VERSIONS,
            MenuVersion.number != (account.live_number or 0),
            MenuVersion.state != VersionState.FOUND,
        )
    )
    await session.execute(
        delete(MenuButton).where(
            MenuButton.appid == account.appid,
            MenuButton.number <= account.last_number - MAX_VERSIONS,
            MenuButton.number != (account.live_number or 0),
        )
    )


def _json(menu: Menu) -> dict[str, object]:
    return menu.model_dump(mode="json")
