"""Looks up whether the doors of a campaign exist. A door may be deleted later; its figures stay."""

import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns.models import CampaignDoorKind
from app.campaigns.schemas import DoorIn

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
_BUTTON: Final = re.compile(r"(wx[0-9a-f]{16})/(?:c[1-9][0-9]?-)?[1-9](?:-[1-9])?")


async def first_unknown(session: AsyncSession, doors: Sequence[DoorIn]) -> int | None:
    """Return the place of the first door that does not exist; None if all do."""
    known: set[DoorIn] = set()
    for kind, query in _EXISTING.items():
        ids = [door.id for door in doors if door.kind is kind and _is_wellformed(door)]
        if ids:
            found = await session.scalars(query, {"ids": ids})
            known |= {DoorIn(kind=kind, id=door_id) for door_id in found}
    return next((number for number, door in enumerate(doors) if door not in known), None)


def _is_wellformed(door: DoorIn) -> bool:
    if door.kind is CampaignDoorKind.RULE:
        return _NUMBER.fullmatch(door.id) is not None
    if door.kind is CampaignDoorKind.MENU_BUTTON:
        return _BUTTON.fullmatch(door.id) is not None
    try:
        return str(UUID(door.id)) == door.id
    except ValueError:
        return False


_EXISTING: Final[dict[CampaignDoorKind, TextClause]] = {
    CampaignDoorKind.RULE: text(
        "SELECT CAST(id AS text) FROM rules WHERE id = ANY(CAST(CAST(:ids AS text[]) AS bigint[]))"
    ),
    CampaignDoorKind.QRCODE: text(
        "SELECT CAST(id AS text) FROM qrcodes WHERE id = ANY(CAST(CAST(:ids AS text[]) AS uuid[]))"
    ),
    CampaignDoorKind.LINK: text(
        "SELECT CAST(id AS text) FROM links WHERE id = ANY(CAST(CAST(:ids AS text[]) AS uuid[]))"
    ),
    CampaignDoorKind.NOTICE: text(
        "SELECT CAST(id AS text) FROM notice_sends "
        "WHERE id = ANY(CAST(CAST(:ids AS text[]) AS uuid[]))"
    ),
    # Of any version: a menu that is not published yet has no buttons to tap.
    CampaignDoorKind.MENU_BUTTON: text(
        "SELECT given.id FROM unnest(CAST(:ids AS text[])) AS given (id) WHERE EXISTS ("
        "    SELECT FROM menu_buttons WHERE appid = split_part(given.id, '/', 1)"
        "        AND position = split_part(given.id, '/', 2))"
    ),
}
