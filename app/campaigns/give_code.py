"""Gives the people whom replies go to their codes, when a worker sends the reply."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import metrics
from app.campaigns.running import AnsweredPush, door_of, running_of_rule
from app.codes.give import GaveUp, UnknownHolder, give
from app.codes.holder import Door, Holder
from app.replies.code_source import CodeBusy, NoCode
from app.replies.models import Reply
from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.pseudonyms import pseudonyms

NO_CAMPAIGN: Final = (
    "the rule has {code} and was no door of a campaign when the message came: add it to one"
)
NO_CODE_LEFT: Final = (
    "the campaign has no code left: import more, and retry; with `otherwise` people are told"
)
NO_CODE_LEFT_FOR_NOTICE: Final = (
    "the campaign has no code left: import or draw more, and resume the send, or ask anew"
)
UNKNOWN: Final = "the person is erased or unknown, so that no code is given"


class CampaignCodes:
    """The codes of campaigns. secret: of the pseudonyms that find somebody who came back."""

    def __init__(self, secret: ErasureSecret) -> None:
        self._secret = secret

    async def code_for(self, session: AsyncSession, reply: Reply, now: datetime) -> str:
        """Return the code of the person whom a reply goes to, always the same.

        Raises NoCode, CodeBusy.
        """
        if reply.rule_id is None:
            raise NoCode(NO_CAMPAIGN)
        push = AnsweredPush(reply.callback_id, reply.rule_id, reply.created_at)
        campaign_id = await running_of_rule(session, push)
        if campaign_id is None:
            raise NoCode(NO_CAMPAIGN)
        door = await door_of(session, campaign_id, push)
        holder = Holder(reply.appid, reply.openid)
        code = await self.give(session, campaign_id, holder, door, now)
        if code is None:
            raise NoCode(NO_CODE_LEFT)
        return code

    async def give(
        self,
        session: AsyncSession,
        campaign_id: UUID,
        holder: Holder,
        door: Door | None,
        now: datetime,
    ) -> str | None:
        """Return the person's code; None if the pool is empty.

        Raises NoCode for somebody of whom nothing is known, and CodeBusy.
        """
        names = await pseudonyms(session, self._secret)
        try:
            code = await give(session, campaign_id, holder, door, names=names, now=now)
        except UnknownHolder:
            raise NoCode(UNKNOWN) from None
        except GaveUp as error:
            raise CodeBusy(str(error)) from None
        metrics.CODES.labels("none_left" if code is None else "given").inc()
        return code
