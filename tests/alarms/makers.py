"""Receivers, figures that reach their thresholds, and a worker that runs until all is told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import orjson

from app.worker import Jobs
from simulator.group_robots import GroupRobots
from tests.service import APPID, Json, Service, rows

TAKE = """
DELETE FROM pgqueuer WHERE entrypoint = 'alarms.send' AND status = 'queued' RETURNING payload
"""
ADDRESSES = {
    "wecom": "/cgi-bin/webhook/send?key={key}",
    "dingtalk": "/robot/send?access_token={key}",
    "feishu": "/open-apis/bot/v2/hook/{key}",
}
MINUTE = timedelta(minutes=1)


@dataclass
class Group:
    """Groups with robots, and where these listen."""

    robots: GroupRobots
    address: str

    @property
    def texts(self) -> list[str]:
        """What the groups show."""
        return self.robots.texts

    def url(self, kind: str = "wecom") -> str:
        """Return the address of the robot of a kind."""
        return self.address + ADDRESSES[kind].format(key=self.robots.key)

    def receiver(self, kind: str = "wecom", **changes: object) -> Json:
        """Return a receiver as `/api` takes it."""
        found: Json = {"name": "on call", "kind": kind, "language": "en", "url": self.url(kind)}
        if kind != "wecom" and self.robots.secret is not None:
            found["secret"] = self.robots.secret
        return found | changes


async def added(service: Service, body: Json) -> Json:
    """Add a receiver."""
    answer = await service.api("POST", "alarms/receivers", json=body)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def state_of(service: Service, receiver: Json) -> Json:
    """Return a receiver as `/api` shows it now."""
    found: Json = (await service.api("GET", f"alarms/receivers/{receiver['id']}")).json()
    return found


async def refuse(connection: asyncpg.Connection, now: datetime, count: int = 100) -> None:
    """Let pushes of the account be refused in this hour."""
    await connection.execute(
        "INSERT INTO callback_refusals (appid, reason, hour, count, seen_at)"
        " VALUES ($1, 'signature', date_trunc('hour', $2::timestamptz), $3, $2)"
        " ON CONFLICT (appid, reason, hour) DO UPDATE SET count = excluded.count",
        APPID,
        now,
        count,
    )


async def calm(connection: asyncpg.Connection) -> None:
    """Let no push have been refused."""
    await connection.execute("DELETE FROM callback_refusals")


async def watch(jobs: Jobs, connection: asyncpg.Connection) -> None:
    """Run the schedule of a minute, and the jobs that it has enqueued."""
    await jobs.watch_alarms()
    await tell(jobs, connection)


async def tell(jobs: Jobs, connection: asyncpg.Connection) -> None:
    """Run the jobs that tell receivers."""
    for job in await connection.fetch(TAKE):
        await jobs.send_alarms(orjson.loads(job["payload"]))


async def alarms(connection: asyncpg.Connection) -> list[Json]:
    """Return the alarms, the oldest first."""
    return await rows(
        connection,
        "SELECT kind, appid, subject, value, threshold, began_at, ended_at FROM alarms ORDER BY id",
    )


async def kinds(connection: asyncpg.Connection) -> list[str]:
    """Return the kinds of the alarms that last."""
    return [one["kind"] for one in await alarms(connection) if one["ended_at"] is None]
