"""Where codes of campaigns come from, as the sending of replies knows it."""

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from app.replies.models import Reply


class NoCode(Exception):
    """There is no code for the person. The text says why, and what to do."""


class CodeBusy(Exception):
    """Others change the person's codes at this moment. It may be tried again."""


class CodeSource(Protocol):
    """Gives people their codes."""

    async def code_for(self, session: AsyncSession, reply: Reply, now: datetime) -> str:
        """Return the code of the person whom a reply goes to, always the same.

        Raises NoCode, CodeBusy.
        """
