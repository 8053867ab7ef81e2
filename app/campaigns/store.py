"""SQL of `/api/campaigns`: adds, changes, deletes and lists. The audit log has every change."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.campaigns import door_check
from app.campaigns.errors import (
    DoorTaken,
    LongOver,
    NoSuchCampaign,
    OtherDoor,
    StaleRevision,
    TooManyCampaigns,
    TooManyDoors,
    UnknownDoor,
    UnknownTarget,
)
from app.campaigns.models import Campaign, CampaignDoor
from app.campaigns.schemas import MAX_DOORS, CampaignIn, DoorIn

MAX_CAMPAIGNS: Final = 10_000
# Doors are looked at and taken by one transaction at a time.
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('campaigns.doors', 0))")


async def page(session: AsyncSession, *, before: UUID | None, limit: int) -> Sequence[Campaign]:
    """Return campaigns, the newest first. before: the id of the last one of the page before."""
    query = select(Campaign).where(Campaign.deleted_at.is_(None))
    if before is not None:
        query = query.where(Campaign.id < before)
    return (await session.scalars(query.order_by(Campaign.id.desc()).limit(limit))).all()


async def read(session: AsyncSession, campaign_id: UUID) -> Campaign:
    """Return a campaign. Raises NoSuchCampaign."""
    found = await session.get(Campaign, campaign_id)
    if found is None or found.deleted_at is not None:
        raise NoSuchCampaign
    return found


async def doors_of(
    session: AsyncSession, campaign_ids: Sequence[UUID]
) -> Mapping[UUID, list[DoorIn]]:
    """Return the doors of campaigns, in one order."""
    found = await session.scalars(
        select(CampaignDoor)
        .where(CampaignDoor.campaign_id.in_(campaign_ids))
        .order_by(CampaignDoor.kind, func.length(CampaignDoor.door_id), CampaignDoor.door_id)
    )
    doors: dict[UUID, list[DoorIn]] = defaultdict(list)
    for row in found:
        doors[row.campaign_id].append(DoorIn(kind=row.kind, id=row.door_id))
    return doors


async def require_door(session: AsyncSession, campaign_id: UUID, door: DoorIn | None) -> None:
    """Raise OtherDoor for a door that is none of the campaign's."""
    if door is not None and not await has_door(session, campaign_id, door):
        raise OtherDoor(door.kind, door.id)


async def has_door(session: AsyncSession, campaign_id: UUID, door: DoorIn) -> bool:
    """Return whether a door is one of the campaign's."""
    return await session.get(CampaignDoor, (campaign_id, door.kind, door.id)) is not None


async def add_door(
    session: AsyncSession, actor: Actor, campaign_id: UUID, door: DoorIn, now: datetime
) -> None:
    """Add a new door, which no other campaign can have. Raises NoSuchCampaign, TooManyDoors."""
    await session.execute(_LOCK)
    campaign = await _locked(session, campaign_id, None)
    number = await session.scalar(
        select(func.count()).where(CampaignDoor.campaign_id == campaign_id)
    )
    if (number or 0) >= MAX_DOORS:
        raise TooManyDoors(MAX_DOORS)
    session.add(CampaignDoor(campaign_id=campaign_id, kind=door.kind, door_id=door.id))
    before = campaign.revision
    campaign.revision += 1
    campaign.updated_at = now
    await session.flush()
    await _record_change(session, actor, campaign, before, now)


async def add(
    session: AsyncSession,
    actor: Actor,
    campaign_in: CampaignIn,
    now: datetime,
    *,
    mini_programs: Collection[str],
) -> Campaign:
    """Add a campaign. mini_programs: those that it may be about; empty: any.

    Raises UnknownDoor, UnknownTarget, DoorTaken, TooManyCampaigns.
    """
    await session.execute(_LOCK)
    if (await session.scalar(select(func.count()).select_from(Campaign)) or 0) >= MAX_CAMPAIGNS:
        raise TooManyCampaigns(MAX_CAMPAIGNS)
    campaign = Campaign(id=uuid7(), revision=1, created_at=now, updated_at=now)
    _fill(campaign, campaign_in, mini_programs)
    session.add(campaign)
    await session.flush()
    await _set_doors(session, campaign, campaign_in.doors)
    await audit.record(
        session,
        actor,
        Action.CAMPAIGN_ADDED,
        subject_of(campaign.id),
        now=now,
        after=campaign.revision,
    )
    return campaign


async def replace(
    session: AsyncSession,
    actor: Actor,
    campaign_id: UUID,
    campaign_in: CampaignIn,
    now: datetime,
    *,
    expected: frozenset[int] | None,
    mini_programs: Collection[str],
) -> Campaign:
    """Replace what a campaign says. expected: revisions that may be replaced; None: any.

    mini_programs: those that it may be about from now on; empty: any.
    Raises NoSuchCampaign, StaleRevision, UnknownDoor, UnknownTarget, DoorTaken, LongOver.
    """
    await session.execute(_LOCK)
    campaign = await _locked(session, campaign_id, expected)
    if campaign.forgotten_at is not None and campaign_in.ends_at > campaign.ends_at:
        raise LongOver
    before = campaign.revision
    _fill(campaign, campaign_in, mini_programs)
    campaign.revision += 1
    campaign.updated_at = now
    await session.flush()
    await session.execute(delete(CampaignDoor).where(CampaignDoor.campaign_id == campaign_id))
    await _set_doors(session, campaign, campaign_in.doors)
    await _record_change(session, actor, campaign, before, now)
    return campaign


async def remove(
    session: AsyncSession,
    actor: Actor,
    campaign_id: UUID,
    now: datetime,
    *,
    expected: frozenset[int] | None,
) -> None:
    """Delete a campaign; the sweep deletes its codes. Raises NoSuchCampaign, StaleRevision."""
    await session.execute(_LOCK)
    campaign = await _locked(session, campaign_id, expected)
    campaign.deleted_at = now
    await session.execute(delete(CampaignDoor).where(CampaignDoor.campaign_id == campaign_id))
    await audit.record(
        session,
        actor,
        Action.CAMPAIGN_DELETED,
        subject_of(campaign_id),
        now=now,
        before=campaign.revision,
    )


def subject_of(campaign_id: UUID) -> Subject:
    """Return a campaign as the subject of an audit entry."""
    return Subject(SubjectKind.CAMPAIGN, str(campaign_id))


async def _record_change(
    session: AsyncSession, actor: Actor, campaign: Campaign, before: int, now: datetime
) -> None:
    await audit.record(
        session,
        actor,
        Action.CAMPAIGN_CHANGED,
        subject_of(campaign.id),
        now=now,
        before=before,
        after=campaign.revision,
    )


async def _locked(
    session: AsyncSession, campaign_id: UUID, expected: frozenset[int] | None
) -> Campaign:
    campaign = await session.get(
        Campaign, campaign_id, with_for_update=True, populate_existing=True
    )
    if campaign is None or campaign.deleted_at is not None:
        raise NoSuchCampaign
    if expected is not None and campaign.revision not in expected:
        raise StaleRevision(campaign.revision)
    return campaign


async def _set_doors(session: AsyncSession, campaign: Campaign, doors: Sequence[DoorIn]) -> None:
    unknown = await door_check.first_unknown(session, doors)
    if unknown is not None:
        raise UnknownDoor(unknown, doors[unknown].kind, doors[unknown].id)
    session.add_all(
        CampaignDoor(campaign_id=campaign.id, kind=door.kind, door_id=door.id) for door in doors
    )
    await session.flush()
    taken = (await session.execute(_TAKEN, {"id": campaign.id})).first()
    if taken is not None:
        raise DoorTaken(taken.kind, taken.door_id, taken.campaign_id)


def _fill(campaign: Campaign, campaign_in: CampaignIn, mini_programs: Collection[str]) -> None:
    target, cost = campaign_in.target, campaign_in.cost
    # A target that is stored stays allowed: the end of its campaign can be moved all the same.
    allowed = {*mini_programs, campaign.target_appid}
    if target is not None and mini_programs and target.appid not in allowed:
        raise UnknownTarget
    campaign.name = campaign_in.name
    campaign.starts_at = campaign_in.starts_at
    campaign.ends_at = campaign_in.ends_at
    campaign.target_appid = None if target is None else target.appid
    campaign.target_pagepath = None if target is None else target.pagepath
    campaign.cost = None if cost is None else cost.amount
    campaign.currency = None if cost is None else cost.currency
    campaign.warn_below = campaign_in.warn_below


_TAKEN: Final = text("""
SELECT theirs.kind, theirs.door_id, theirs.campaign_id
FROM campaign_doors AS ours
JOIN campaigns AS mine ON mine.id = ours.campaign_id
JOIN campaign_doors AS theirs ON theirs.kind = ours.kind AND theirs.door_id = ours.door_id
    AND theirs.campaign_id <> ours.campaign_id
JOIN campaigns AS other ON other.id = theirs.campaign_id
WHERE ours.campaign_id = :id AND other.deleted_at IS NULL
    AND other.starts_at < mine.ends_at AND mine.starts_at < other.ends_at
ORDER BY theirs.kind, theirs.door_id, theirs.campaign_id LIMIT 1
""")
