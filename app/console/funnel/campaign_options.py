"""The campaigns within which a page of the funnel may count."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns import store
from app.campaigns.errors import NoSuchCampaign

MAX_OPTIONS: Final = 100


async def campaign_options(session: AsyncSession, chosen: UUID | None) -> list[tuple[str, str]]:
    """Return id and name of the latest campaigns, and of the chosen one.

    A chosen one that is deleted has its id as its name.
    """
    options = {
        one.id: one.name for one in await store.page(session, before=None, limit=MAX_OPTIONS)
    }
    if chosen is not None and chosen not in options:
        try:
            options[chosen] = (await store.read(session, chosen)).name
        except NoSuchCampaign:
            options[chosen] = str(chosen)
    return [(str(id_), name) for id_, name in options.items()]
