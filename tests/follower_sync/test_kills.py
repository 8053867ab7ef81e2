"""`oa-bridge followers sync` as a process: killed in the middle, twice at once, badly called."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.db.engine import connect
from simulator.demo import ACCOUNT
from tests.e2e.children import Child, oa_bridge
from tests.e2e.peer import Peer
from tests.processes import run_simulator
from tests.service import Json, column, rows
from tests.waiting import PATIENCE_SECONDS, eventually

APPID = ACCOUNT.appid
PEOPLE = 2500
AT_ONCE = 8  # FOLLOWERS_SYNC_CONCURRENCY as it is without a setting
KILLS = 4
WITHIN = PATIENCE_SECONDS
FACTS = """
    SELECT e.openid, e.unionid, e.action, e.occurred_at, e.source, f.following, f.followed_at,
           f.unionid AS state_unionid, f.last_at, f.last_id = e.id AS decides,
           o.resolve_state, o.unionid AS known_unionid
    FROM follow_events e JOIN followers f USING (appid, openid) JOIN openids o USING (appid, openid)
    ORDER BY e.openid
"""


@pytest.fixture
def wechat_url() -> Iterator[str]:
    with run_simulator() as url:
        yield url


@pytest.fixture
async def peer(wechat_url: str) -> AsyncIterator[Peer]:
    async with httpx.AsyncClient(timeout=30) as http:
        followers = [{"openid": f"oKILLED{number:021d}"} for number in range(PEOPLE)]
        answer = await http.post(
            f"{wechat_url}/_sim/followers", json={"appid": APPID, "followers": followers}
        )
        answer.raise_for_status()
        yield Peer(wechat_url, http)


@dataclass
class Command:
    """Runs `oa-bridge followers sync` against one database."""

    folder: Path
    wechat_url: str
    database_url: str

    def make(self, *options: str, name: str = "sync", **changes: str) -> Child:
        settings = {
            "DATABASE_URL": self.database_url,
            "WECHAT_API_BASE_URL": self.wechat_url,
            "WECHAT_APPID": APPID,
            "WECHAT_APPSECRET": ACCOUNT.secret,
            "WECHAT_TOKEN": ACCOUNT.token,
            "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key,
            "FOLLOWERS_SYNC_CONCURRENCY": "2",
            **changes,
        }
        return Child(name, oa_bridge("followers", "sync", *options), self.folder, settings)

    async def run(self, *options: str, **changes: str) -> tuple[int, str]:
        """Return its exit status and what it said."""
        child = self.make(*options, name=f"run-{time.monotonic_ns()}", **changes)
        child.start()
        return await child.ended(WITHIN), child.output()


@pytest.fixture
def command(tmp_path: Path, wechat_url: str, database_url: str) -> Command:
    return Command(tmp_path, wechat_url, database_url)


async def facts(connection: asyncpg.Connection) -> list[Json]:
    return await rows(connection, FACTS)


@pytest.fixture
async def undisturbed_url(postgres_url: str, database_url: str) -> AsyncIterator[str]:
    """Another database, as empty as the first."""
    name = database_url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]
    admin = await connect(postgres_url)
    await admin.execute(f"CREATE DATABASE {name}_2 TEMPLATE {name}")
    yield database_url.replace(name, f"{name}_2")
    await admin.execute(f"DROP DATABASE {name}_2 WITH (FORCE)")
    await admin.close()


async def test_killed_again_and_again_it_ends_like_one_that_was_left_alone(
    undisturbed_url: str, command: Command, peer: Peer, database_url: str
) -> None:
    undisturbed = Command(command.folder, peer.url, undisturbed_url)
    status, said = await undisturbed.run()
    assert status == 0, said
    connection = await connect(database_url)

    await peer.fault("user/info/batchget", latency_seconds=0.05)
    for kill in range(1, KILLS + 1):
        child = command.make(name=f"killed-{kill}")
        child.start()

        async def came_further(share: int = kill * PEOPLE // (KILLS + 1)) -> bool:
            (marks,) = await column(connection, "SELECT count(*) FROM follower_marks")
            return bool(marks >= share)

        await eventually(came_further, "more people to be recorded")
        child.kill()
    (left,) = await column(connection, "SELECT count(*) FROM follower_marks")
    calls = await calls_of(peer)
    status, said = await command.run()

    assert status == 0, said
    assert 0 < left < PEOPLE + 3
    # Calls that were under way at the kill may still be entered in the peer's ledger.
    assert await calls_of(peer) - calls <= (PEOPLE + 3 - left) // 100 + 1 + AT_ONCE
    other = await connect(undisturbed_url)
    assert await facts(connection) == await facts(other)
    assert len(await facts(connection)) == PEOPLE + 3
    noted = "SELECT count FROM audit_log WHERE action = 'followers.synchronised'"
    assert len(await column(connection, noted)) == 1
    await other.close()
    await connection.close()


async def calls_of(peer: Peer) -> int:
    calls = await peer.ledger("api_call")
    return sum(call["path"] == "/cgi-bin/user/info/batchget" for call in calls)


async def test_of_two_at_once_the_second_says_so_and_stops(
    command: Command, peer: Peer, database_url: str
) -> None:
    connection = await connect(database_url)
    await peer.fault("user/info/batchget", latency_seconds=2)
    first = command.make(name="first")
    first.start()

    async def begun() -> bool:
        return await column(connection, "SELECT count(*) FROM follower_marks") != [0]

    await eventually(begun, "the first to begin")

    status, said = await command.run()

    assert (status, "another synchronisation" in said) == (75, True), said
    await peer.clear_faults()
    assert await first.ended(WITHIN) == 0, first.output()
    assert f"{PEOPLE + 3} new" in first.output()
    await connection.close()


async def test_a_used_up_quota_is_reported_differently_from_a_failure(
    command: Command, peer: Peer
) -> None:
    await peer.fault("user/info/batchget", errcode=45009)
    quota = await command.run()
    await peer.clear_faults()
    await peer.fault("user/get", errcode=48001)
    refused = await command.run()

    assert quota[0] == 75
    assert "quota" in quota[1]
    assert "what was read is kept" in quota[1]
    assert refused[0] == 1
    assert "48001" in refused[1]


@pytest.mark.parametrize(
    ("options", "changes", "problem"),
    [
        (("--appid", "wx0000000000000000"), {}, "is not configured"),
        ((), {"WECHAT_APPSECRET": ""}, "WECHAT_APPSECRET"),
        (("--appid", APPID), {"WECHAT_APPSECRET": ""}, "has no AppSecret"),
        ((), {"FOLLOWERS_SYNC_CONCURRENCY": "0"}, "FOLLOWERS_SYNC_CONCURRENCY"),
    ],
)
async def test_a_bad_call_names_what_is_wrong(
    tmp_path: Path, options: tuple[str, ...], changes: dict[str, str], problem: str
) -> None:
    command = Command(tmp_path, "http://127.0.0.1:9", "postgresql://nowhere/none")

    status, said = await asyncio.wait_for(command.run(*options, **changes), WITHIN)

    assert (status, problem in said) == (2, True), said
    assert "Traceback" not in said
