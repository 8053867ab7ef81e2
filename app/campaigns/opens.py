"""How often people opened the mini-program by the doors of a campaign."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns.models import Campaign, CampaignDoorKind
from app.campaigns.schemas import DoorIn

Opens = Mapping[tuple[date, DoorIn], int]


async def opens_by_door_and_day(
    session: AsyncSession, campaign: Campaign, doors: Sequence[DoorIn], since: date, until: date
) -> Opens:
    """Return the opens of each door and day in Shanghai that has any; both days are included.

    Opens before and after the campaign are left out: its doors may then lead to another one. An
    open by a reply to a scan is one of the QR code if that is a door, else of the rule.
    """
    ids = {kind: [door.id for door in doors if door.kind is kind] for kind in CampaignDoorKind}
    buttons = [door_id.partition("/") for door_id in ids[CampaignDoorKind.MENU_BUTTON]]
    found = await session.execute(
        _OPENS,
        {
            "since": since,
            "until": until,
            "starts_at": campaign.starts_at,
            "ends_at": campaign.ends_at,
            "rules": ids[CampaignDoorKind.RULE],
            "qrcodes": ids[CampaignDoorKind.QRCODE],
            "links": ids[CampaignDoorKind.LINK],
            "sends": ids[CampaignDoorKind.NOTICE],
            "accounts": [account for account, _, _ in buttons],
            "positions": [position for _, _, position in buttons],
        },
    )
    return {
        (row.day, DoorIn(kind=CampaignDoorKind(row.kind), id=row.door_id)): row.opens
        for row in found
    }


# Each part reads the index of its kind of door: see `arrivals.models`.
_COUNTS: Final = """
a.kind = 'launch' AND a.left_out IS NULL
AND a.at >= greatest(
    CAST(CAST(:since AS date) AS timestamp) AT TIME ZONE 'Asia/Shanghai',
    CAST(:starts_at AS timestamptz)
)
AND a.at < least(
    CAST(CAST(:until AS date) + 1 AS timestamp) AT TIME ZONE 'Asia/Shanghai',
    CAST(:ends_at AS timestamptz)
)
"""
_QRCODES: Final = "ANY(CAST(CAST(:qrcodes AS text[]) AS uuid[]))"

_OPENS: Final = text(f"""
SELECT CAST(at AT TIME ZONE 'Asia/Shanghai' AS date) AS day, kind, door_id, count(*) AS opens
FROM (
    SELECT 'rule' AS kind, CAST(a.rule_id AS text) AS door_id, a.at FROM arrivals a
    WHERE a.rule_id = ANY(CAST(CAST(:rules AS text[]) AS bigint[]))
      AND (a.qrcode_id = {_QRCODES}) IS NOT TRUE AND {_COUNTS}
    UNION ALL
    SELECT 'qrcode', CAST(a.qrcode_id AS text), a.at FROM arrivals a
    WHERE a.qrcode_id = {_QRCODES} AND {_COUNTS}
    UNION ALL
    SELECT 'link', CAST(a.link_id AS text), a.at FROM arrivals a
    WHERE a.link_id = ANY(CAST(CAST(:links AS text[]) AS uuid[])) AND {_COUNTS}
    UNION ALL
    SELECT 'notice', CAST(a.send_id AS text), a.at FROM arrivals a
    WHERE a.send_id = ANY(CAST(CAST(:sends AS text[]) AS uuid[])) AND {_COUNTS}
    UNION ALL
    SELECT 'menu_button', b.account || '/' || b.position, a.at
    FROM unnest(CAST(:accounts AS text[]), CAST(:positions AS text[])) AS b (account, position)
    JOIN arrivals a ON a.account = b.account AND a.menu_position = b.position AND {_COUNTS}
) AS opened GROUP BY 1, 2, 3
""")  # noqa: S608 - constants of this module
