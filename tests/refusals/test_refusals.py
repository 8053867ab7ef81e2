"""One table of (API, errcode): what becomes of the notice, the run or the request.

Whatever WeChat refuses, the answer of `/api` names the code, what it means, what to do and the rid;
nothing is lost, and nobody gets anything twice.
"""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import httpx
import pytest

from app.worker import Jobs
from tests.links.makers import added
from tests.notices.makers import (
    BIZSEND,
    MESSAGE,
    PARCEL,
    add_people,
    bodies_of,
    consent,
    queued,
    run,
    started,
)
from tests.refusals.outcomes import (
    ANSWERS,
    CREATE_TAG,
    DELETE_TAG,
    DRAFT,
    GET_ALL,
    GETTEMPLATE,
    RENAME_TAG,
    SENDING,
    TAGGING_RUN,
    TOKEN,
    UNKNOWN,
    Run,
    Then,
)
from tests.service import APPID, CARD_APPID, Json, Service, WeChat, WorldClock, column
from tests.tags.makers import TAGGING, ask, having, of_run, people, tag
from tests.tags.makers import run as run_tags

pytestmark = pytest.mark.asyncio

NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class World:
    """The service, its worker and WeChat."""

    service: Service
    wechat: WeChat
    jobs: Jobs
    connection: asyncpg.Connection
    clock: WorldClock

    def content(self, api: str) -> Json:
        """Return what is sent by an API."""
        page = {"miniprogram": {"appid": CARD_APPID, "pagepath": "pages/shop/index"}}
        if api == BIZSEND:
            return page | {"template_id": PARCEL}
        return page | {"template_id": MESSAGE, "data": {"character_string1": "K-1"}}

    async def someone(self, api: str, count: int, prefix: str) -> list[str]:
        """Let people follow who may get two notices each."""
        template = PARCEL if api == BIZSEND else None
        found = await add_people(
            self.connection, self.wechat, count, template_id=template, prefix=prefix
        )
        await self.connection.execute("UPDATE consents SET accepted = 2")
        for openid in found if template else ():
            self.wechat.state.notices.decide(APPID, openid, PARCEL, "accept")
        return found

    def strike(self, api: str, errcode: int) -> None:
        """Let WeChat refuse one call."""
        if errcode in TOKEN:
            self.wechat.state.tokens.clear()
        else:
            self.wechat.strike(api, errcode=errcode, count=1)

    def got(self, openid: str) -> int:
        """Return how many notices a person got."""
        return sum(one["touser"] == openid for one in bodies_of(self.wechat))


@pytest.fixture
def world(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    monkeypatch.setattr("app.notices.send.CALLS_AT_ONCE", 1)
    return World(service, wechat, jobs, connection, clock)


def is_explained(said: Json, errcode: int) -> bool:
    return bool(
        said["errcode"] == errcode
        and said["meaning"]
        and said["fix"]
        and said["rid"]
        and ("does not know" in said["meaning"]) is (errcode in UNKNOWN)
    )


@pytest.mark.parametrize("api", SENDING)
async def test_a_notice_that_is_refused(world: World, api: str) -> None:
    for then, codes in SENDING[api].items():
        for errcode in codes:
            (openid,) = await world.someone(api, 1, f"oR{errcode}x")
            before = await column(world.connection, "SELECT count(*) FROM notices")
            world.strike(api, errcode)
            found = await queued(world.service, openid, **world.content(api))
            await run(world.jobs, found["send_id"])

            notice = await world.service.read(f"notices/{found['notices'][0]['id']}")
            ends = then in {Then.PERSON, Then.USED_UP, Then.EVERYBODY}
            status = "failed" if ends else "sent" if then is Then.SENT else "pending"
            assert (errcode, notice["status"]) == (errcode, status)
            if then is not Then.SENT:
                assert is_explained(notice, errcode), str(notice)
            assert world.got(openid) == (then is Then.SENT)
            if api == BIZSEND:
                left = (int(then is Then.SENT), 2 if then is Then.USED_UP else 0)
                assert (errcode, await consent(world.connection, openid)) == (errcode, left)

            while await run(world.jobs, found["send_id"]):
                world.clock.advance(timedelta(hours=1))
            notice = await world.service.read(f"notices/{found['notices'][0]['id']}")
            assert (errcode, notice["status"]) == (errcode, "failed" if ends else "sent")
            assert world.got(openid) == (not ends)
            after = await column(world.connection, "SELECT count(*) FROM notices")
            assert after[0] == before[0] + 1


@pytest.mark.parametrize("api", SENDING)
async def test_an_audience_of_which_one_is_refused(world: World, api: str) -> None:
    """One errcode of each kind: `test_refused_of_an_audience` has the others."""
    for then, (errcode, *_) in SENDING[api].items():
        members = await world.someone(api, 2, f"oA{errcode}x")
        world.strike(api, errcode)
        send = await started(
            world.service,
            audience={"unionids": [f"u{openid}" for openid in members]},
            **world.content(api),
        )
        await run(world.jobs, send["id"])
        found = await world.service.read(f"notice-sends/{send['id']}")
        paused = then is Then.EVERYBODY
        assert (errcode, found["state"] == "paused") == (errcode, paused)
        if paused:
            assert is_explained(found["problem"], errcode)
            assert found["counts"] == {"pending": 2}
            await world.service.api("POST", f"notice-sends/{send['id']}/resume")
        while await run(world.jobs, send["id"]):
            world.clock.advance(timedelta(hours=1))

        found = await world.service.read(f"notice-sends/{send['id']}")
        one_failed = then in {Then.PERSON, Then.USED_UP}
        expected = {"failed": 1, "sent": 1} if one_failed else {"sent": 2}
        assert (errcode, found["state"], found["counts"]) == (errcode, "done", expected)
        assert sorted(map(world.got, members)) == ([0, 1] if one_failed else [1, 1])


async def answered(world: World, api: str, tag_id: int, link: str) -> httpx.Response:
    """Ask `/api` for what calls one API of WeChat."""
    asked: dict[str, tuple[str, str, Json | None]] = {
        GETTEMPLATE: ("POST", "templates/refresh", {"appid": APPID}),
        GET_ALL: ("POST", "templates/refresh", {"appid": APPID}),
        CREATE_TAG: ("POST", "tags", {"appid": APPID, "name": "new"}),
        RENAME_TAG: ("PUT", f"tags/{tag_id}/name", {"name": f"other {tag_id}"}),
        DELETE_TAG: ("DELETE", f"tags/{tag_id}", None),
        DRAFT: (
            "POST",
            f"links/{link}/article-draft",
            {"title": "Summer", "content": "<p>sale</p>", "thumb_media_id": "COVER"},
        ),
    }
    method, path, body = asked[api]
    return await world.service.api(method, path, json=body)


@pytest.mark.parametrize("api", ANSWERS)
async def test_a_request_that_is_refused(world: World, api: str) -> None:
    link = (await added(world.service))["id"]
    for status, codes in ANSWERS[api].items():
        for errcode in codes:
            tag_id = await tag(world.service, world.wechat, f"tag {errcode}")
            world.wechat.strike(api, errcode=errcode)
            answer = await answered(world, api, tag_id, link)
            assert (errcode, answer.status_code) == (errcode, status)
            if status in {409, 429, 502}:
                detail = answer.json()["detail"]
                assert f"errcode {errcode}: " in detail
                assert "(rid " in detail
                assert "does not know" not in detail
            if api == GETTEMPLATE:
                assert len(answer.json().get("items", [])) in {0, 3}
            # What waited for the end of the pause goes on.
            world.wechat.state.faults.clear()
            world.clock.advance(timedelta(days=1))
            if status != NO_CONTENT:
                again = await answered(world, api, tag_id, link)
                assert (errcode, again.is_success) == (errcode, True)
            if api == CREATE_TAG:
                await world.service.api("DELETE", f"tags/{again.json()['tag_id']}")
    assert len(world.wechat.state.drafts.of[APPID]) == (
        sum(map(len, ANSWERS[api].values())) if api == DRAFT else 0
    )


async def test_a_run_of_tags_that_is_refused(world: World) -> None:
    for then, codes in TAGGING_RUN.items():
        for errcode in codes:
            tag_id = await tag(world.service, world.wechat, f"tag {errcode}")
            openids = await people(
                world.service, world.wechat, world.connection, 2, prefix=f"oT{errcode}x"
            )
            # The call for both, and then, if it concerns one person, the one for the first.
            world.wechat.strike(TAGGING, errcode=errcode, count=2 if then is Run.PERSON else 1)
            begun = await ask(world.service, tag_id, openids=openids)
            await run_tags(world.jobs)
            if then is Run.WAITS:
                waiting = await of_run(world.service, begun)
                assert waiting["state"] == "running"
                assert is_explained(waiting["problem"], errcode)
                world.clock.advance(timedelta(days=1))
                await run_tags(world.jobs)

            found = await of_run(world.service, begun)
            tagged = {Run.PERSON: openids[1:], Run.WAITS: openids, Run.ENDS: []}[then]
            assert (errcode, having(world.wechat, tag_id)) == (errcode, tagged)
            assert found["state"] == ("failed" if then is Run.ENDS else "done")
            assert (found["done"], found["refused"]) == (len(tagged), then is Run.PERSON)
            if then is Run.ENDS:
                assert is_explained(found["problem"], errcode)
            if then is Run.PERSON:
                refused = await world.service.read(f"tag-runs/{begun['id']}/refused")
                (one,) = refused["items"]
                assert (one["openid"], one["errcode"]) == (openids[0], errcode)
                assert one["meaning"]
                assert one["fix"]
