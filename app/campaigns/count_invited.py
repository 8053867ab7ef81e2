"""Counts who followed by invitations.

Only a new follow counts: of somebody who had never followed the account, within the campaign's
span. A UnionID counts once in a campaign, for the invitation that comes first in the history, and
never for its own. It counts for the one who invited, and for nobody who invited them. An OpenID
without a UnionID counts by itself until its UnionID is known; then it may turn out to be somebody
who counts already.

The row of the cursor is locked as long as something is counted, so that of two processes one goes
on after the other. What an erasure is about to clear is counted before.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns.models import Invitation, InvitationCursor, Invited, LeftOutFollow
from app.db.engine import SessionFactory
from app.events.batch_end import last_of_batch
from app.events.models import FollowAction
from app.events.store import settled_position
from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.pseudonyms import Pseudonyms, pseudonyms
from app.tombstones.subject import ErasureSubject

CURSOR: Final = 1
ACTIONS: Final = (FollowAction.FOLLOW, FollowAction.UNFOLLOW)
BATCH: Final = 1_000
MAX_BATCHES: Final = 100


async def count(sessions: SessionFactory, secret: ErasureSecret) -> None:
    """Count what has arrived. A run that is killed has counted whole batches alone."""
    for _ in range(MAX_BATCHES):
        async with sessions.begin() as session:
            if not await _count_some(session, secret):
                return


async def count_before_erasure(
    session: AsyncSession, person: ErasureSubject, secret: ErasureSecret
) -> None:
    """Count what a person has done that is not counted yet, and lock the cursor."""
    cursor = await _locked(session)
    names = await pseudonyms(session, secret)
    bound = {"appid": person.appid, "openid": person.openid, "after": cursor.position}
    await _add(session, (await session.execute(_FOLLOWS_OF_PERSON, bound)).all(), names)
    await session.execute(_LEFT_OF_PERSON, bound)
    await _name(session, names)


async def _count_some(session: AsyncSession, secret: ErasureSecret) -> bool:
    """Count one batch; return whether more may wait."""
    cursor = await _locked(session)
    settled = await settled_position(session)
    appids = list(await session.scalars(select(Invitation.appid).distinct()))
    last = await last_of_batch(
        session, appids, ACTIONS, after=cursor.position, upto=settled, batch=BATCH
    )
    upto = max(settled if last is None else last, cursor.position)
    names = await pseudonyms(session, secret)
    if appids:
        bound = {"appids": appids, "after": cursor.position, "upto": upto}
        await _add(session, (await session.execute(_FOLLOWS, bound)).all(), names)
        await session.execute(_LEFT, bound)
    cursor.position = upto
    more = await _name(session, names)
    return last is not None or more


async def _locked(session: AsyncSession) -> InvitationCursor:
    return await session.get_one(InvitationCursor, CURSOR, with_for_update=True)


async def _add(session: AsyncSession, follows: Sequence[Row[Any]], names: Pseudonyms) -> None:
    """Store new follows, in the order of the history."""
    for follow in follows:
        pseudonym = names.of_openid(follow.appid, follow.openid)
        if await _followed_before(session, follow, pseudonym):
            continue
        person = person_of(follow.unionid, names)
        session.add(
            Invited(
                event_id=follow.id,
                qrcode_id=follow.qrcode_id,
                campaign_id=follow.campaign_id,
                appid=follow.appid,
                openid=follow.openid,
                person=person,
                followed_at=follow.occurred_at,
                left_out=await _left_out(session, follow, person, pseudonym, names),
            )
        )
        await session.flush()


async def _followed_before(session: AsyncSession, follow: Row[Any], pseudonym: str) -> bool:
    found = await session.scalar(
        _BEFORE,
        {
            "appid": follow.appid,
            "openids": [follow.openid, pseudonym],
            "at": follow.occurred_at,
            "id": follow.id,
        },
    )
    return bool(found)


async def _left_out(
    session: AsyncSession,
    follow: Row[Any],
    person: str | None,
    pseudonym: str,
    names: Pseudonyms,
) -> LeftOutFollow | None:
    inviter = await _person_of_inviter(session, follow.qrcode_id, names)
    if follow.inviter in (follow.openid, pseudonym) or (person is not None and person == inviter):
        return LeftOutFollow.SELF
    if person is not None and await _counted(session, follow.campaign_id, person) is not None:
        return LeftOutFollow.AGAIN
    return None


async def _person_of_inviter(
    session: AsyncSession, qrcode_id: UUID, names: Pseudonyms
) -> str | None:
    """Return the pseudonym of an inviter's UnionID, and note it once it is known."""
    invitation = await session.get_one(Invitation, qrcode_id)
    if invitation.person is None:
        unionid: str | None = await session.scalar(
            _UNIONID, {"appid": invitation.appid, "openid": invitation.openid}
        )
        invitation.person = person_of(unionid, names)
    return invitation.person


async def _counted(session: AsyncSession, campaign_id: UUID, person: str) -> Invited | None:
    """Return the follow by which a person counts in a campaign."""
    return await session.scalar(
        select(Invited).where(
            Invited.campaign_id == campaign_id,
            Invited.person == person,
            Invited.left_out.is_(None),
        )
    )


async def _name(session: AsyncSession, names: Pseudonyms) -> bool:
    """Note UnionIDs that are known by now; return whether more may be."""
    found = (await session.execute(_UNNAMED, {"batch": BATCH})).all()
    for row in found:
        invited = await session.get_one(Invited, row.event_id)
        person = names.of_unionids([row.unionid])[row.unionid]
        if person == await _person_of_inviter(session, invited.qrcode_id, names):
            invited.left_out = LeftOutFollow.SELF
        other = await _counted(session, invited.campaign_id, person)
        if other is not None and invited.left_out is None:
            later = invited if _rank(other) <= _rank(invited) else other
            later.left_out = LeftOutFollow.AGAIN
            await session.flush()
        invited.person = person
        await session.flush()
    return len(found) == BATCH


def person_of(unionid: str | None, names: Pseudonyms) -> str | None:
    """Return the pseudonym by which a UnionID is told from others; None if it is not known."""
    return None if unionid is None else names.of_unionids([unionid])[unionid]


def _rank(invited: Invited) -> tuple[datetime, UUID]:
    return invited.followed_at, invited.event_id


_FOLLOW: Final = """
SELECT f.id, f.appid, f.openid, f.occurred_at, f.position, i.qrcode_id, i.campaign_id,
       i.openid AS inviter, o.unionid
FROM follow_events f
JOIN qrcodes q ON q.appid = f.appid AND q.scene = f.scene
JOIN invitations i ON i.qrcode_id = q.id
JOIN campaigns c ON c.id = i.campaign_id AND c.deleted_at IS NULL
 AND f.occurred_at >= c.starts_at AND f.occurred_at < c.ends_at
LEFT JOIN openids o ON o.appid = f.appid AND o.openid = f.openid
WHERE f.action = 'follow' AND NOT EXISTS (SELECT FROM invited n WHERE n.event_id = f.id)
"""
_FOLLOWS: Final = text(f"""
{_FOLLOW} AND f.appid = ANY(CAST(:appids AS text[]))
  AND f.position > :after AND f.position <= :upto
ORDER BY f.position
""")
_FOLLOWS_OF_PERSON: Final = text(f"""
{_FOLLOW} AND f.appid = :appid AND f.openid = :openid AND f.position > :after
ORDER BY f.position
""")
_LEFT: Final = text("""
UPDATE invited n SET left_at = gone.at FROM (
    SELECT n.event_id, min(f.occurred_at) AS at
    FROM follow_events f JOIN invited n ON n.openid = f.openid AND n.appid = f.appid
    WHERE f.action = 'unfollow' AND f.appid = ANY(CAST(:appids AS text[]))
      AND f.position > :after AND f.position <= :upto
      AND n.openid IS NOT NULL AND f.occurred_at >= n.followed_at
    GROUP BY n.event_id
) AS gone
WHERE n.event_id = gone.event_id AND n.left_at IS NULL
""")
_LEFT_OF_PERSON: Final = text("""
UPDATE invited n SET left_at = gone.at FROM (
    SELECT n.event_id, min(f.occurred_at) AS at
    FROM follow_events f JOIN invited n ON n.openid = f.openid AND n.appid = f.appid
    WHERE f.action = 'unfollow' AND f.appid = :appid AND f.openid = :openid
      AND f.position > :after AND n.openid IS NOT NULL AND f.occurred_at >= n.followed_at
    GROUP BY n.event_id
) AS gone
WHERE n.event_id = gone.event_id AND n.left_at IS NULL
""")
_BEFORE: Final = text("""
SELECT EXISTS (
    SELECT FROM follow_events b
    WHERE b.appid = :appid AND b.openid = ANY(CAST(:openids AS text[]))
      AND b.action IN ('follow', 'unfollow') AND (b.occurred_at, b.id) < (:at, :id)
)
""")
_UNIONID: Final = text("SELECT unionid FROM openids WHERE appid = :appid AND openid = :openid")
_UNNAMED: Final = text("""
SELECT n.event_id, o.unionid
FROM invited n JOIN openids o ON o.openid = n.openid AND o.appid = n.appid
WHERE n.person IS NULL AND n.openid IS NOT NULL AND n.left_out IS NULL AND o.unionid IS NOT NULL
ORDER BY n.followed_at, n.event_id LIMIT :batch
""")


async def figures(session: AsyncSession, campaign_id: UUID) -> tuple[int, int]:
    """Return how many people came by the invitations of a campaign, and how many have left."""
    row = (
        await session.execute(
            select(func.count(), func.count(Invited.left_at)).where(
                Invited.campaign_id == campaign_id, Invited.left_out.is_(None)
            )
        )
    ).one()
    return row[0], row[1]
