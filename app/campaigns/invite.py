"""Gives a person their own QR code in a campaign, and lists who came by whose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns.count_invited import person_of
from app.campaigns.errors import NotRunning, UnknownInviter
from app.campaigns.models import Campaign, Invitation
from app.codes.holder import Holder
from app.qrcodes import counts, store
from app.qrcodes.list_csv import MAX_NAME
from app.qrcodes.models import QrCode, QrKind
from app.qrcodes.scene import new_scene
from app.tombstones.pseudonyms import Pseudonyms

# A rule for follows by all invitations has it as its scene_prefix.
SCENE_PREFIX: Final = "invite_"
NAME: Final = "Invitation: "
# Codes that would be renewed within so long, and how many of them are looked at once a minute.
RENEWED_WITHIN: Final = timedelta(days=1)
END_LIMIT: Final = 1_000


@dataclass(frozen=True, slots=True)
class InvitationCount:
    """An invitation, how many people came by it, and how many of these have left since."""

    qrcode: QrCode
    openid: str | None
    came: int
    gone: int


async def invite(
    session: AsyncSession, campaign: Campaign, holder: Holder, names: Pseudonyms, now: datetime
) -> UUID:
    """Return the QR code of a person in a campaign that runs, the same one each time.

    Raises NotRunning, UnknownInviter, TooManyCodes.
    """
    if not campaign.starts_at <= now < campaign.ends_at:
        raise NotRunning
    known = (await session.execute(_KNOWN, holder._asdict())).one_or_none()
    if known is None:
        raise UnknownInviter
    erased = names.of_openid(*holder)
    own = await _own(session, campaign.id, holder, erased)
    if own is not None:
        return own
    row = store.new_row(
        holder.appid,
        QrKind.TEMPORARY,
        (NAME + campaign.name)[:MAX_NAME],
        now,
        scene=new_scene(SCENE_PREFIX),
    )
    added: UUID | None = await session.scalar(
        insert(Invitation)
        .values(
            qrcode_id=row["id"],
            campaign_id=campaign.id,
            appid=holder.appid,
            openid=holder.openid,
            person=person_of(known.unionid, names),
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Invitation.qrcode_id)
    )
    if added is None:  # somebody else was faster, and is committed
        found = await _own(session, campaign.id, holder, erased)
        if found is None:
            raise UnknownInviter
        return found
    await counts.take(session, holder.appid, QrKind.TEMPORARY, 1)
    await store.insert_rows(session, [row])
    return added


async def end_renewal(session: AsyncSession, now: datetime) -> None:
    """Let the codes of campaigns that are over end at WeChat: those that are due next."""
    due = {"now": now, "until": now + RENEWED_WITHIN, "limit": END_LIMIT}
    await store.end_renewal(session, list(await session.scalars(_OVER, due)))


async def page(
    session: AsyncSession, campaign_id: UUID, *, before: UUID | None, limit: int
) -> list[InvitationCount]:
    """Return invitations with what they brought, the newest first."""
    bound = {"campaign_id": campaign_id, "before": before, "limit": limit}
    return await _counts(session, (await session.execute(_PAGE, bound)).all())


async def most(session: AsyncSession, campaign_id: UUID, limit: int) -> list[InvitationCount]:
    """Return the invitations that brought most people."""
    bound = {"campaign_id": campaign_id, "limit": limit}
    return await _counts(session, (await session.execute(_MOST, bound)).all())


async def one(session: AsyncSession, qrcode_id: UUID) -> InvitationCount:
    """Return one invitation."""
    found = await _counts(session, (await session.execute(_ONE, {"id": qrcode_id})).all())
    return found[0]


async def _own(
    session: AsyncSession, campaign_id: UUID, holder: Holder, erased: str
) -> UUID | None:
    """Return the code of a person; somebody who was erased and came back gets theirs again."""
    found = (
        await session.scalars(
            select(Invitation)
            .where(
                Invitation.campaign_id == campaign_id,
                Invitation.appid == holder.appid,
                Invitation.openid.in_([holder.openid, erased]),
            )
            .order_by(Invitation.openid == erased)
            .limit(1)
            .with_for_update()
        )
    ).one_or_none()
    if found is None:
        return None
    if await session.get(QrCode, found.qrcode_id) is None:
        # An operator has deleted it: the person gets another one.
        await session.delete(found)
        await session.flush()
        return None
    found.openid = holder.openid
    await session.flush()
    return found.qrcode_id


async def _counts(session: AsyncSession, rows: Sequence[Row[Any]]) -> list[InvitationCount]:
    ids = [row.qrcode_id for row in rows]
    codes = {one.id: one for one in await session.scalars(select(QrCode).where(QrCode.id.in_(ids)))}
    return [
        InvitationCount(codes[row.qrcode_id], row.openid, row.came, row.gone)
        for row in rows
        if row.qrcode_id in codes
    ]


_KNOWN: Final = text("""
SELECT unionid FROM openids WHERE appid = :appid AND openid = :openid FOR KEY SHARE
""")
_OVER: Final = text("""
SELECT q.id FROM qrcodes q JOIN invitations i ON i.qrcode_id = q.id
LEFT JOIN campaigns c ON c.id = i.campaign_id AND c.deleted_at IS NULL AND c.ends_at > :now
WHERE q.renew_at < :until AND c.id IS NULL
ORDER BY q.renew_at LIMIT :limit
""")
_COUNTED: Final = """
SELECT i.qrcode_id, i.openid, n.came, n.gone FROM invitations i CROSS JOIN LATERAL (
    SELECT count(*) AS came, count(left_at) AS gone FROM invited
    WHERE campaign_id = i.campaign_id AND qrcode_id = i.qrcode_id AND left_out IS NULL
) AS n
"""
_PAGE: Final = text(f"""
{_COUNTED} WHERE i.campaign_id = :campaign_id
  AND (CAST(:before AS uuid) IS NULL OR i.qrcode_id < CAST(:before AS uuid))
ORDER BY i.qrcode_id DESC LIMIT :limit
""")
_ONE: Final = text(f"{_COUNTED} WHERE i.qrcode_id = :id")
# Of those who brought anybody, by one walk through who came.
_MOST: Final = text("""
SELECT i.qrcode_id, i.openid, n.came, n.gone FROM (
    SELECT qrcode_id, count(*) AS came, count(left_at) AS gone FROM invited
    WHERE campaign_id = :campaign_id AND left_out IS NULL
    GROUP BY qrcode_id ORDER BY count(*) DESC, qrcode_id LIMIT :limit
) AS n JOIN invitations i USING (qrcode_id)
ORDER BY n.came DESC, i.qrcode_id
""")
