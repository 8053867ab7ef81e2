"""Reads the names of doors."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.funnel.steps import DoorKind

_NAMES: Final = {
    DoorKind.RULE: text(
        "SELECT CAST(id AS text) AS id, name FROM rules "
        "WHERE id = ANY(CAST(CAST(:ids AS text[]) AS bigint[]))"
    ),
    DoorKind.QRCODE: text(
        "SELECT CAST(id AS text) AS id, name FROM qrcodes "
        "WHERE id = ANY(CAST(CAST(:ids AS text[]) AS uuid[]))"
    ),
    DoorKind.CAMPAIGN: text(
        "SELECT CAST(id AS text) AS id, name FROM campaigns "
        "WHERE deleted_at IS NULL AND id = ANY(CAST(CAST(:ids AS text[]) AS uuid[]))"
    ),
    DoorKind.LINK: text(
        "SELECT CAST(id AS text) AS id, name FROM links "
        "WHERE id = ANY(CAST(CAST(:ids AS text[]) AS uuid[]))"
    ),
}


async def names(session: AsyncSession, kind: DoorKind, ids: Sequence[str]) -> Mapping[str, str]:
    """Return the names of those doors that have one, by id. ids: as the figures list them."""
    statement = _NAMES.get(kind)
    if statement is None or not ids:
        return {}
    return {row.id: row.name for row in await session.execute(statement, {"ids": list(ids)})}
