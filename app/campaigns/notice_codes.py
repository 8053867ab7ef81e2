"""Gives people their codes by notices, and makes a send to an audience a door."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.actor import Actor
from app.campaigns import store
from app.campaigns.errors import NoSuchCampaign, TooManyDoors
from app.campaigns.give_code import NO_CODE_LEFT_FOR_NOTICE, CampaignCodes
from app.campaigns.models import CampaignDoorKind
from app.campaigns.schemas import DoorIn
from app.codes import holders
from app.codes.holder import Door, Holder
from app.notices.code_source import CodeBusy, NoCode
from app.notices.errors import CampaignWithoutCodes
from app.replies import code_source as replies_source
from app.tombstones.erasure_secret import ErasureSecret

UNKNOWN: Final = "there is no such campaign: correct campaign_id"
NOT_RUNNING: Final = "the campaign does not run now: nobody gets a code"
NO_CODES: Final = "the campaign has no codes: import or draw some first"
DELETED: Final = "the campaign is deleted: stop the send"


class NoticeCodes:
    """The codes of campaigns. secret: of the pseudonyms that find somebody who came back."""

    def __init__(self, secret: ErasureSecret) -> None:
        self._codes = CampaignCodes(secret)

    async def longest_code(self, session: AsyncSession, campaign_id: UUID, now: datetime) -> str:
        """Return a code of a campaign that runs, none of the next ones being longer.

        Raises CampaignWithoutCodes.
        """
        try:
            campaign = await store.read(session, campaign_id)
        except NoSuchCampaign:
            raise CampaignWithoutCodes(UNKNOWN) from None
        if not campaign.starts_at <= now < campaign.ends_at:
            raise CampaignWithoutCodes(NOT_RUNNING)
        found = await holders.longest_code(session, campaign_id)
        if found is None:
            raise CampaignWithoutCodes(NO_CODES)
        return found

    async def add_door(
        self, session: AsyncSession, actor: Actor, campaign_id: UUID, send_id: UUID, now: datetime
    ) -> None:
        """Make a send a door of a campaign. Raises CampaignWithoutCodes."""
        door = DoorIn(kind=CampaignDoorKind.NOTICE, id=str(send_id))
        try:
            await store.add_door(session, actor, campaign_id, door, now)
        except NoSuchCampaign:
            raise CampaignWithoutCodes(UNKNOWN) from None
        except TooManyDoors as error:
            raise CampaignWithoutCodes(str(error)) from None

    async def code_for(
        self,
        session: AsyncSession,
        campaign_id: UUID,
        send_id: UUID,
        holder: Holder,
        now: datetime,
    ) -> str:
        """Return the code of a person, always the same. Raises NoCode, CodeBusy."""
        try:
            campaign = await store.read(session, campaign_id)
        except NoSuchCampaign:
            raise NoCode(DELETED, stops_send=True) from None
        if not campaign.starts_at <= now < campaign.ends_at:
            raise NoCode(NOT_RUNNING, stops_send=True)
        door = DoorIn(kind=CampaignDoorKind.NOTICE, id=str(send_id))
        known = await store.has_door(session, campaign_id, door)
        try:
            code = await self._codes.give(
                session, campaign_id, holder, Door(door.kind, door.id) if known else None, now
            )
        except replies_source.NoCode as error:
            raise NoCode(str(error)) from None
        except replies_source.CodeBusy as error:
            raise CodeBusy(str(error)) from None
        if code is None:
            raise NoCode(NO_CODE_LEFT_FOR_NOTICE, stops_send=True)
        return code
