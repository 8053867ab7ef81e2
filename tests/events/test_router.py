"""`/api/follow-events` and `/api/subscription-events`: the history, a page at a time."""

from datetime import timedelta

import pytest

from app.worker import Jobs
from simulator.followers import unionid_of
from tests.service import APPID, OPENID, OTHER_OPENID, Json, Service, event

MAX_PAGES = 20
POPUP = {
    "List": [
        {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"},
        {"TemplateId": "B", "SubscribeStatusString": "reject", "PopupScene": "1"},
    ]
}


async def some_history(service: Service) -> None:
    """Two followers who come, answer a popup, and of whom the first leaves."""
    for openid in (OPENID, OTHER_OPENID):
        await service.push(event(service.clock, "subscribe", openid=openid, EventKey="qrscene_7"))
        await service.push(
            event(
                service.clock,
                "subscribe_msg_popup_event",
                openid=openid,
                SubscribeMsgPopupEvent=POPUP,
            )
        )
    service.clock.advance(timedelta(minutes=1))
    await service.push(event(service.clock, "unsubscribe"))


async def pages(service: Service, path: str, **query: str | int) -> list[list[Json]]:
    found: list[list[Json]] = []
    for _ in range(MAX_PAGES):
        page = await service.read(path, **query)
        found.append(page["items"])
        if page["next"] is None:
            return found
        query["after"] = page["next"]
    raise AssertionError(f"{path} has no last page")


async def test_follows_read_back_in_the_order_of_arrival(service: Service) -> None:
    await some_history(service)

    (events,) = await pages(service, "follow-events")

    assert [(one["openid"], one["action"], one["scene"]) for one in events] == [
        (OPENID, "follow", "7"),
        (OTHER_OPENID, "follow", "7"),
        (OPENID, "unfollow", None),
    ]
    assert events[0]["unionid"] is None


async def test_a_unionid_finds_the_history_of_its_person(service: Service, jobs: Jobs) -> None:
    await some_history(service)
    await jobs.resolve({"appid": APPID})

    (follows,) = await pages(service, "follow-events", unionid=unionid_of(OPENID))
    (answers,) = await pages(service, "subscription-events", unionid=unionid_of(OTHER_OPENID))

    assert [(one["openid"], one["action"]) for one in follows] == [
        (OPENID, "follow"),
        (OPENID, "unfollow"),
    ]
    assert {one["openid"] for one in answers} == {OTHER_OPENID}
    assert {one["unionid"] for one in answers} == {unionid_of(OTHER_OPENID)}


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"openid": OPENID}, 2),
        ({"appid": APPID}, 3),
        ({"appid": APPID, "openid": OTHER_OPENID}, 1),
        ({"appid": "wx00000000000000ff"}, 0),
        ({"openid": "oNOBODY"}, 0),
        ({"unionid": "oNOBODY"}, 0),
    ],
    ids=str,
)
async def test_follows_are_found_by_account_and_openid(
    service: Service, query: dict[str, str], number: int
) -> None:
    await some_history(service)

    (events,) = await pages(service, "follow-events", **query)

    assert len(events) == number


@pytest.mark.parametrize("path", ["follow-events", "subscription-events"])
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_pages_hold_every_event_once_and_end(service: Service, path: str, limit: int) -> None:
    await some_history(service)
    (whole,) = await pages(service, path)

    found = await pages(service, path, limit=limit)

    assert [one for page in found for one in page] == whole
    assert all(len(page) <= limit for page in found)
    assert found[-1] != []


async def test_a_page_goes_on_while_new_events_arrive(service: Service) -> None:
    await some_history(service)
    first = await service.read("follow-events", limit=2)
    await service.push(event(service.clock, "subscribe"))

    rest = await service.read("follow-events", limit=2, after=first["next"])

    assert [one["action"] for one in rest["items"]] == ["unfollow", "follow"]


async def test_a_subscription_reads_back_template_by_template(service: Service) -> None:
    sent = {"List": {"TemplateId": "A", "MsgID": "17", "ErrorCode": "0", "ErrorStatus": "success"}}
    await service.push(
        event(service.clock, "subscribe_msg_popup_event", SubscribeMsgPopupEvent=POPUP)
    )
    await service.push(event(service.clock, "subscribe_msg_sent_event", SubscribeMsgSentEvent=sent))

    (events,) = await pages(service, "subscription-events")

    assert [
        (one["action"], one["template_id"], one["status"], one["msgid"], one["error_code"])
        for one in events
    ] == [
        ("popup", "A", "accept", None, None),
        ("popup", "B", "reject", None, None),
        ("sent", "A", "success", "17", "0"),
    ]


@pytest.mark.parametrize("path", ["follow-events", "subscription-events"])
@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 501}, {"after": "x"}, {"openid": "a\x00b"}], ids=str
)
async def test_a_question_that_makes_no_sense_is_refused(
    service: Service, path: str, query: dict[str, str | int]
) -> None:
    assert (await service.api("GET", path, params=query)).status_code == 422
