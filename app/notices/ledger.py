"""The ledger of consents: SQL that reserves one-time consents and gives them back.

An accepted popup allows one notice. A consent is reserved before WeChat is called, so that workers
that send to one person at once never make more calls than were consented to. It is given back when
the notice was certainly not sent. Otherwise it stays reserved until the report of the delivery:
`consents` counts a delivered notice then, and the reservation ends. A notice without a report, or
of an unknown outcome, keeps it.

A long-term consent is on or off. Whoever accepted before the service knew of it has no row, so
that only a refusal that is known holds a notice back.

Locks are taken in one order: the notice, then the row of its person and template.
Source: protocol 9.3; linkage 2.4 and 2.5.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

NO_CONSENT: Final = "the person has no consent left for this template"


async def reserve(session: AsyncSession, appid: str, openid: str, template_id: str) -> bool:
    """Take one consent; return whether there was one."""
    key = {"appid": appid, "openid": openid, "template_id": template_id}
    # The second statement sees what was committed before the first one got the row: who gives a
    # reservation back has counted the delivery before.
    await session.execute(_LOCK, key)
    return await session.scalar(_TAKE, key) is not None


async def is_off(session: AsyncSession, appid: str, openid: str, template_id: str) -> bool:
    """Return whether a person has refused a template with long-term consents."""
    key = {"appid": appid, "openid": openid, "template_id": template_id}
    return await session.scalar(_OFF, key) is not None


async def taken(
    session: AsyncSession, keys: Sequence[tuple[str, str, str]]
) -> Mapping[tuple[str, str, str], int]:
    """Return how many consents are reserved or written off by (appid, openid, template_id)."""
    appids, openids, template_ids = zip(*keys, strict=True) if keys else ((), (), ())
    found = await session.execute(
        _TAKEN,
        {"appids": list(appids), "openids": list(openids), "template_ids": list(template_ids)},
    )
    return {(row.appid, row.openid, row.template_id): row.taken for row in found}


async def give_back(session: AsyncSession, appid: str, openid: str, template_id: str) -> None:
    """End one reservation: the notice was not sent, or `consents` counts it as delivered."""
    await session.execute(
        _GIVE_BACK, {"appid": appid, "openid": openid, "template_id": template_id}
    )


async def use_up(
    session: AsyncSession, appid: str, openid: str, template_id: str, *, tried_at: datetime
) -> None:
    """Write off what was accepted before `tried_at`: WeChat says that no consent is left (43101).

    Call it after the reservation was given back.
    """
    await session.execute(
        _USE_UP,
        {"appid": appid, "openid": openid, "template_id": template_id, "tried_at": tried_at},
    )


_KEY: Final = "appid = :appid AND openid = :openid AND template_id = :template_id"

_LOCK: Final = text("""
INSERT INTO notice_consents AS n (appid, openid, template_id)
SELECT appid, openid, template_id FROM consents
WHERE appid = :appid AND openid = :openid AND template_id = :template_id
ON CONFLICT (appid, openid, template_id) DO UPDATE SET reserved = n.reserved
""")

_TAKE: Final = text("""
UPDATE notice_consents n SET reserved = n.reserved + 1
FROM consents c
WHERE c.appid = :appid AND c.openid = :openid AND c.template_id = :template_id
  AND n.appid = c.appid AND n.openid = c.openid AND n.template_id = c.template_id
  AND c.sends_left > n.reserved + n.written_off
RETURNING 1
""")

_OFF: Final = text(f"SELECT 1 FROM consents WHERE {_KEY} AND state <> 'accept'")  # noqa: S608

_TAKEN: Final = text("""
SELECT n.appid, n.openid, n.template_id, n.reserved + n.written_off AS taken
FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:template_ids AS text[]))
     AS k(appid, openid, template_id)
JOIN notice_consents n
  ON n.appid = k.appid AND n.openid = k.openid AND n.template_id = k.template_id
""")

_GIVE_BACK: Final = text(f"""
UPDATE notice_consents SET reserved = reserved - 1 WHERE {_KEY} AND reserved > 0
""")  # noqa: S608 - a constant of this module

_USE_UP: Final = text("""
UPDATE notice_consents n SET written_off = n.written_off
    + GREATEST(c.sends_left - n.reserved - n.written_off, 0)
FROM consents c
WHERE c.appid = :appid AND c.openid = :openid AND c.template_id = :template_id
  AND n.appid = c.appid AND n.openid = c.openid AND n.template_id = c.template_id
  AND c.decided_at <= :tried_at
""")
