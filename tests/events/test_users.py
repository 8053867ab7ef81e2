"""`/api/users/{unionid}`: what is known of one person, and what happened."""

from datetime import timedelta
from typing import Any

import pytest

from app.worker import Jobs
from simulator.followers import unionid_of
from tests.service import APPID, OPENID, OTHER_OPENID, Json, Service, event, message

POPUP = {"List": {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"}}
PERSON = f"users/{unionid_of(OPENID)}"


async def a_life(service: Service, jobs: Jobs) -> None:
    for openid in (OPENID, OTHER_OPENID):
        await service.push(event(service.clock, "subscribe", openid=openid, EventKey="qrscene_7"))
    await jobs.resolve({"appid": APPID})
    for document in (
        event(service.clock, "subscribe_msg_popup_event", SubscribeMsgPopupEvent=POPUP),
        message(service.clock, "something private"),
        event(service.clock, "SCAN", EventKey="8"),
        event(service.clock, "unsubscribe"),
        event(service.clock, "subscribe"),
    ):
        service.clock.advance(timedelta(seconds=1))
        await service.push(document | {"CreateTime": service.clock.seconds})


async def test_a_person_is_told_whole(service: Service, jobs: Jobs) -> None:
    await a_life(service, jobs)

    found = await service.read(PERSON)

    (follower,) = found["followers"]
    assert (follower["following"], follower["scene"], follower["source"]) == (True, None, "event")
    assert follower["unfollowed_at"] < follower["followed_at"]
    (consent,) = found["consents"]
    assert (consent["template_id"], consent["state"], consent["sends_left"]) == ("A", "accept", 1)
    assert [one["event"] or one["msgtype"] for one in found["last_interactions"]] == [
        "subscribe",
        "unsubscribe",
        "SCAN",
        "text",
        "subscribe_msg_popup_event",
        "subscribe",
    ]
    assert "private" not in str(found)
    assert [(one["type"], one["action"]) for one in found["timeline"]["items"]] == [
        ("follow_event", "follow"),
        ("follow_event", "unfollow"),
        ("follow_event", "scan"),
        ("subscription_event", "popup"),
        ("follow_event", "follow"),
    ]
    assert [one.get("refollow") for one in found["timeline"]["items"]] == [
        True,
        False,
        False,
        None,
        False,
    ]


@pytest.mark.parametrize("limit", [1, 2, 4, 5])
async def test_pages_of_a_timeline_hold_every_entry_once(
    service: Service, jobs: Jobs, limit: int
) -> None:
    await a_life(service, jobs)
    whole = (await service.read(PERSON))["timeline"]["items"]

    found: list[Json] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        timeline = (await service.read(PERSON, **query))["timeline"]
        found += timeline["items"]
        if timeline["next"] is None:
            break
        query["before"] = timeline["next"]
        late = event(service.clock, "SCAN", EventKey=f"late{len(found)}")
        await service.push(late | {"CreateTime": service.clock.seconds - 4})

    assert found == whole


@pytest.mark.parametrize("query", [{"before": "a-1"}, {"before": "x"}, {"limit": 0}], ids=str)
async def test_a_timeline_is_not_read_from_nowhere(service: Service, query: Json) -> None:
    assert (await service.api("GET", PERSON, params=query)).status_code == 422


async def test_who_is_not_keyed_yet_has_a_state_and_a_history_too(service: Service) -> None:
    await service.push(event(service.clock, "subscribe"))

    found = await service.read("users", appid=APPID, openid=OPENID)

    assert found["unionid"] is None
    assert found["openids"][0]["next_try_at"] is not None
    assert [one["following"] for one in found["followers"]] == [True]
    assert [one["action"] for one in found["timeline"]["items"]] == ["follow"]
