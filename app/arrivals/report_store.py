"""SQL that stores reports: one statement for all that came together."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.arrivals.new_arrival import NewArrival
from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.people import erased_among
from app.tombstones.pseudonyms import pseudonyms
from app.tombstones.unionids import erased_unionids


async def add(session: AsyncSession, reports: Sequence[NewArrival]) -> set[UUID]:
    """Add the reports that are new, and return their ids; one of a known key is left alone."""
    # In one order, so that two processes with the same reports wait for each other in no circle.
    ordered = sorted(reports, key=lambda one: (one.appid, one.report_key))
    columns = {name: [getattr(one, name) for one in ordered] for name in _COLUMNS}
    # Arrays of arrays have one length in Postgres: a ref has no blank.
    columns["refs"] = [" ".join(one.refs) for one in ordered]
    found = await session.scalars(_ADD, columns)
    return set(found)


async def still_erased(
    session: AsyncSession, secret: ErasureSecret, reports: Sequence[NewArrival]
) -> set[UUID]:
    """Return the ids of reports of what people did before they were erased.

    Call it first in the transaction; see `tombstones.people`.
    """
    people = {(one.appid, one.openid) for one in reports if one.openid is not None}
    by_openid = await erased_among(session, secret, people)
    unionids = {one.unionid for one in reports if one.unionid is not None}
    by_unionid: dict[str, datetime] = {}
    if unionids and await session.scalar(_ANY_UNIONID):
        by_unionid = await erased_unionids(session, await pseudonyms(session, secret), unionids)
    found = set()
    for one in reports:
        tombstone = by_openid.get((one.appid, one.openid or ""))
        until = by_unionid.get(one.unionid or "")
        if (tombstone and one.at <= tombstone.until) or (until and one.at <= until):
            found.add(one.id)
    return found


_COLUMNS: Final = {
    "id": "uuid",
    "kind": "text",
    "appid": "text",
    "report_key": "bytea",
    "received_at": "timestamptz",
    "at": "timestamptz",
    "openid": "text",
    "unionid": "text",
    "scene": "bigint",
    "path": "text",
    "query": "text",
    "referrer_appid": "text",
    "name": "text",
    "value": "numeric",
    "currency": "text",
    "refs": "text",
}
_NAMES: Final = ", ".join(_COLUMNS)
_ARRAYS: Final = ", ".join(f"CAST(:{name} AS {of}[])" for name, of in _COLUMNS.items())
_VALUES: Final = _NAMES.replace("refs", "string_to_array(refs, ' ')")

_ADD: Final = text(
    f"""
    INSERT INTO arrivals ({_NAMES}, try_at)
    SELECT {_VALUES}, received_at
    FROM unnest({_ARRAYS}) AS r({_NAMES})
    ON CONFLICT (appid, report_key) DO NOTHING
    RETURNING id
    """  # noqa: S608 - constants of this module
)
_ANY_UNIONID: Final = text("SELECT EXISTS (SELECT FROM erased_unionids)")
