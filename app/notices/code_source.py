"""Where codes of campaigns come from, as notices know it."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.actor import Actor
from app.codes.holder import Holder


class NoCode(Exception):
    """There is no code for the person; the text says why, and what to do.

    stops_send: nobody else without a code gets one either.
    """

    def __init__(self, reason: str, *, stops_send: bool = False) -> None:
        super().__init__(reason)
        self.stops_send = stops_send


class CodeBusy(Exception):
    """Others change the person's codes at this moment. It may be tried again."""


class CodeSource(Protocol):
    """Gives people the codes of campaigns."""

    async def longest_code(self, session: AsyncSession, campaign_id: UUID, now: datetime) -> str:
        """Return a code of a campaign that runs, none of the next ones being longer.

        Raises CampaignWithoutCodes.
        """

    async def add_door(
        self, session: AsyncSession, actor: Actor, campaign_id: UUID, send_id: UUID, now: datetime
    ) -> None:
        """Make a send a door of a campaign. Raises CampaignWithoutCodes."""

    async def code_for(
        self,
        session: AsyncSession,
        campaign_id: UUID,
        send_id: UUID,
        holder: Holder,
        now: datetime,
    ) -> str:
        """Return the code of a person, always the same. Raises NoCode, CodeBusy."""
