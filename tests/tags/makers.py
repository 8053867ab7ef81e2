"""Makes tags and people, and runs the job."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from app.secret_box import secret_box
from app.tags.change_tags import TagChanger
from app.tags.wechat_tags import WeChatTags
from app.wechat.api import WeChatApi
from app.wechat_client.tokens import AccessTokens
from app.worker import Jobs
from simulator.followers import Follower
from tests.httpx_client import HttpxClient
from tests.service import APPID, Json, Service, WeChat, column

TAGGING = "/cgi-bin/tags/members/batchtagging"
UNTAGGING = "/cgi-bin/tags/members/batchuntagging"
LIST = "/cgi-bin/tags/get"
CREATE = "/cgi-bin/tags/create"
MEMBERS = "/cgi-bin/user/tag/get"
LEASE_OVER = timedelta(minutes=5)


def reach_wechat(service: Service, wechat: WeChat) -> None:
    """Let the service's own calls about tags reach WeChat."""
    settings, database = service.settings, service.app.state.database
    api = WeChatApi("http://wechat", settings.api_timeout, HttpxClient(wechat.client))
    tokens = AccessTokens(database, api, settings.accounts, service.clock, secret_box(settings))
    service.app.state.tag_changer = TagChanger(
        database.sessions, WeChatTags(api, tokens), service.clock
    )


async def tag(service: Service, wechat: WeChat, name: str = "会员") -> int:
    """Create a tag."""
    reach_wechat(service, wechat)
    answer = await service.api("POST", "tags", json={"appid": APPID, "name": name})
    assert answer.status_code == 201, answer.text
    tag_id: int = answer.json()["tag_id"]
    return tag_id


async def people(
    service: Service,
    wechat: WeChat,
    connection: asyncpg.Connection,
    count: int,
    *,
    prefix: str = "oP",
    scene: str | None = None,
    how: str | None = None,
) -> list[str]:
    """Let WeChat and the service know followers."""
    openids = [f"{prefix}{number:04}" for number in range(count)]
    now = service.clock.now()
    for openid in openids:
        wechat.state.meet(APPID, openid).follow(now, scene or "")
    await connection.execute(
        "INSERT INTO openids (appid, openid, resolve_state, first_seen_at, last_seen_at) "
        "SELECT $1, o, 'unavailable', $3, $3 FROM unnest($2::text[]) o",
        APPID,
        openids,
        now,
    )
    await connection.execute(
        "INSERT INTO followers (appid, openid, following, followed_at, scene, how, last_at, "
        "last_id) SELECT $1, o, true, $3, $4, $5, $3, gen_random_uuid() FROM unnest($2::text[]) o",
        APPID,
        openids,
        now,
        scene,
        how,
    )
    return openids


async def ask(service: Service, tag_id: int, **wanted: object) -> Json:
    """Ask for people to be tagged."""
    answer = await service.api("POST", f"tags/{tag_id}/people", json={"action": "tag"} | wanted)
    assert answer.status_code == 202, answer.text
    started: Json = answer.json()
    return started


async def run(jobs: Jobs) -> None:
    """Run the job of the account."""
    await jobs.run_tags({"appid": APPID})


async def of_run(service: Service, started: Json) -> Json:
    """Read how far a run is."""
    return await service.read(f"tag-runs/{started['id']}")


def having(wechat: WeChat, tag_id: int) -> list[str]:
    """Return who has a tag at WeChat."""
    return sorted(one.openid for one in followers(wechat) if tag_id in one.tags)


def followers(wechat: WeChat) -> Sequence[Follower]:
    """Return the people whom WeChat knows at the account."""
    return list(wechat.state.followers[APPID].values())


async def known(connection: asyncpg.Connection, tag_id: int) -> list[str]:
    """Return who has a tag as far as is known here."""
    query = "SELECT openid FROM follower_tags WHERE tag_id = $1 ORDER BY openid"
    return list(await column(connection, query, tag_id))
