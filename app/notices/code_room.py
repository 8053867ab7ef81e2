"""SQL that compares the codes which notices need with those that are left.

A code is taken when a notice is sent, so that nobody has one whom WeChat is never asked to send to.
What other sends still need is promised to them meanwhile. Sends of one campaign are compared one
after the other.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.codes import figures
from app.codes.holders import has_code
from app.notices.errors import TooFewCodes


@dataclass(frozen=True, slots=True)
class CodeRoom:
    """The codes of a campaign. left: nobody has them; promised: of these, to other sends."""

    left: int
    promised: int

    @property
    def free(self) -> int:
        """Return how many a further send may ask for."""
        return max(self.left - self.promised, 0)


async def code_room(session: AsyncSession, campaign_id: UUID, needed: int) -> CodeRoom:
    """Return how many codes there are. They are counted up to what is needed and promised."""
    promised = int(await session.scalar(_PROMISED, {"campaign_id": campaign_id}) or 0)
    found = await figures.left(session, [campaign_id], promised + needed)
    return CodeRoom(found.get(campaign_id, 0), promised)


async def require_codes(session: AsyncSession, campaign_id: UUID, needed: int) -> None:
    """Raise TooFewCodes if a send of so many people would find the pool empty.

    Until the end of the transaction no other send of the campaign is compared.
    """
    await session.execute(_LOCK, {"name": f"notices.codes:{campaign_id}"})
    room = await code_room(session, campaign_id, needed)
    if needed > room.free:
        raise TooFewCodes(needed, room.left, room.promised)


_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")

# Nothing of an audience is sent before all its notices are queued.
_PROMISED: Final = text(f"""
SELECT sum(CASE WHEN s.queued_at IS NULL THEN s.codes_asked ELSE LEAST(s.codes_asked, (
    SELECT count(*) FROM notices n JOIN openids p ON p.appid = n.appid AND p.openid = n.openid
    WHERE n.send_id = s.id AND n.status IN ('pending', 'sending') AND NOT {has_code("p")}
)) END)
FROM notice_sends s
WHERE s.ended_at IS NULL AND s.campaign_id = :campaign_id AND s.codes_asked > 0
""")  # noqa: S608 - a constant of another module
