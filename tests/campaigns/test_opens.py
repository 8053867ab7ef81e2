"""Arrivals are counted as opens of the doors of a campaign."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.arrivals.models import Arrival
from app.campaigns.models import Campaign, CampaignDoorKind
from app.campaigns.opens import opens_by_door_and_day
from app.campaigns.schemas import DoorIn
from app.db.engine import Database
from app.worker import Jobs
from tests.arrivals.makers import launch, report
from tests.campaigns.makers import CODED_CARD, running, write
from tests.service import APPID, CARD_APPID, Service, WeChat

STARTS = datetime(2026, 11, 20, 10, tzinfo=UTC)
ENDS = datetime(2026, 11, 22, 10, tzinfo=UTC)
LATE = datetime(2026, 11, 20, 17, tzinfo=UTC)  # the next day in Shanghai
QRCODE, LINK, SEND = (UUID(int=number) for number in (1, 2, 3))
DOORS = [
    DoorIn(kind=CampaignDoorKind.RULE, id="7"),
    DoorIn(kind=CampaignDoorKind.QRCODE, id=str(QRCODE)),
    DoorIn(kind=CampaignDoorKind.LINK, id=str(LINK)),
    DoorIn(kind=CampaignDoorKind.NOTICE, id=str(SEND)),
    DoorIn(kind=CampaignDoorKind.MENU_BUTTON, id=f"{APPID}/2-1"),
]
RULE_DOOR = {"rule_id": 7}
FOUND = [
    (RULE_DOOR, DOORS[0]),
    ({"rule_id": 7, "qrcode_id": UUID(int=9)}, DOORS[0]),
    ({"rule_id": 7, "qrcode_id": QRCODE}, DOORS[1]),
    ({"rule_id": 8, "qrcode_id": QRCODE}, DOORS[1]),
    ({"link_id": LINK}, DOORS[2]),
    ({"send_id": SEND}, DOORS[3]),
    ({"account": APPID, "menu_number": 4, "menu_position": "2-1"}, DOORS[4]),
    ({"account": CARD_APPID, "menu_number": 4, "menu_position": "2-1"}, None),
    ({"account": APPID, "menu_number": 4, "menu_position": None}, None),
    ({"rule_id": 8}, None),
    (RULE_DOOR | {"left_out": "repeat"}, None),
    (RULE_DOOR | {"kind": "conversion"}, None),
    (RULE_DOOR | {"at": STARTS}, DOORS[0]),
    (RULE_DOOR | {"at": STARTS - timedelta(seconds=1)}, None),
    (RULE_DOOR | {"at": ENDS - timedelta(seconds=1)}, DOORS[0]),
    (RULE_DOOR | {"at": ENDS}, None),
]


@pytest.mark.parametrize(("arrival", "door"), FOUND)
async def test_a_launch_is_an_open_of_its_door_while_the_campaign_runs(
    database: Database, arrival: dict[str, object], door: DoorIn | None
) -> None:
    values = {
        "id": uuid4(),
        "kind": "launch",
        "appid": CARD_APPID,
        "report_key": uuid4().bytes,
        "received_at": LATE,
        "at": LATE,
        "refs": [],
        "tries": 0,
        "position": 1,
    } | arrival
    campaign = Campaign(starts_at=STARTS, ends_at=ENDS)
    async with database.sessions.begin() as session:
        session.add(Arrival(**values))
    async with database.sessions() as session:
        opens = await opens_by_door_and_day(
            session, campaign, DOORS, date(2026, 11, 1), date(2026, 11, 30)
        )
        none = await opens_by_door_and_day(
            session, campaign, DOORS, date(2026, 11, 1), date(2026, 11, 19)
        )

    at = arrival.get("at", LATE)
    assert isinstance(at, datetime)
    day = (at + timedelta(hours=8)).date()
    assert opens == ({} if door is None else {(day, door): 1})
    assert none == {}


async def test_the_card_with_a_code_is_opened(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await running(service, jobs, CODED_CARD)
    sent = await write(service, wechat, jobs, connection)
    path, _, query = sent["content"]["pagepath"].partition("?")
    service.clock.advance(timedelta(minutes=1))
    opened = {"path": path, "query": dict(part.split("=") for part in query.split("&"))}
    await report(service, launch(service, **opened), launch(service, **opened, scene=1129))
    before = await service.read(f"campaigns/{campaign['id']}/figures")

    await jobs.settle_arrivals()

    found = await service.read(f"campaigns/{campaign['id']}/figures")
    assert before["total"]["opened"] == 0
    assert found["total"] == {"handed_out": 1, "opened": 1, "redeemed": 0}
    assert [(each["opened"], each["handed_out"]) for each in found["days"]] == [(1, 1)]
    assert [(each["kind"], each["opened"]) for each in found["doors"]] == [("rule", 1)]
