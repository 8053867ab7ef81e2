"""Counts the people of an audience, and the codes that they need: the first step before a send."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.notices import audience, audience_store
from app.notices.audience_schemas import AudienceCount, AudienceIn
from app.notices.code_room import code_room
from app.notices.models import NoticeTemplate


async def count_audience(
    session: AsyncSession, template: NoticeTemplate, wanted: AudienceIn
) -> AudienceCount:
    """Return who may get a notice now."""
    people = audience_store.audience_of(template, wanted)
    count = await audience.count(session, people)
    if wanted.campaign_id is None:
        return AudienceCount(people=count, codes_needed=None, codes_free=None)
    needed = await audience.count_without_code(session, people, wanted.campaign_id)
    room = await code_room(session, wanted.campaign_id, needed)
    return AudienceCount(people=count, codes_needed=needed, codes_free=room.free)
