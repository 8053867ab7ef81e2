"""What this room knows of a person, and of the past, goes away."""

from datetime import timedelta
from uuid import UUID

import asyncpg

from app.db.engine import Database
from app.webhooks.erase import erase
from app.webhooks.retention import KEPT_FOR
from app.worker import Jobs
from tests.service import APPID, OPENID, OTHER_OPENID, Service, column
from tests.webhooks.makers import follow, hook, work
from tests.webhooks.receiver import Receiver

DELIVERY = """
INSERT INTO webhook_deliveries (id, webhook_id, event_id, type, position, status, attempts,
                                created_at)
VALUES ($1, $2, gen_random_uuid(), 'follow.created', $3, $4, 1, now())
"""


async def test_the_identities_of_an_erased_person_are_not_told(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    database: Database,
    connection: asyncpg.Connection,
) -> None:
    await hook(service, receiver, types=["identity.*"])
    for openid in (OPENID, OTHER_OPENID):
        await follow(service, openid)
    await jobs.resolve({"appid": APPID})
    await jobs.dispatch_webhooks()

    async with database.sessions.begin() as session:
        erased = await erase(session, APPID, OPENID)
    await work(jobs, connection)

    assert erased == 1
    assert await column(connection, "SELECT openid FROM identity_events") == [OTHER_OPENID]
    assert [one.json["data"]["openid"] for one in receiver.received] == [OTHER_OPENID]


async def test_an_identity_whose_unionid_was_erased_is_not_told(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver, types=["identity.*"])
    await follow(service)
    await jobs.resolve({"appid": APPID})
    await connection.execute("UPDATE openids SET unionid = NULL")

    await work(jobs, connection)

    assert receiver.received == []


async def test_a_unionid_that_changes_is_told_as_such(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver, types=["identity.*"])
    await follow(service)
    for unionid in ("oFIRST", "oFIRST", "oSECOND"):
        await connection.execute("UPDATE openids SET unionid = $1", unionid)
        await work(jobs, connection)

    assert [(one.json["type"], one.json["data"]["unionid"]) for one in receiver.received] == [
        ("identity.resolved", "oFIRST"),
        ("identity.changed", "oSECOND"),
    ]


async def test_an_identity_that_arrives_with_its_unionid_is_told(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    await connection.execute(
        "INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at) "
        "VALUES ($1, 'oNEW', 'uNEW', now(), now())",
        APPID,
    )

    await work(jobs, connection)

    assert receiver.types == ["identity.resolved"]


async def test_old_deliveries_are_pruned_unless_they_still_wait(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = UUID((await hook(service, receiver))["id"])
    nobody = UUID(int=1)
    old, young = (
        int((service.clock.now() - KEPT_FOR + step).timestamp() * 1000) << 80
        for step in (-timedelta(minutes=1), timedelta(minutes=1))
    )
    for number, (age, owner, status) in enumerate(
        [
            (old, webhook, "delivered"),
            (old, webhook, "waiting"),
            (old, nobody, "waiting"),
            (young, webhook, "delivered"),
        ],
        start=1,
    ):
        await connection.execute(DELIVERY, UUID(int=age + number), owner, number, status)

    await jobs.sweep()

    assert await column(
        connection, "SELECT position FROM webhook_deliveries ORDER BY position"
    ) == [2, 4]
