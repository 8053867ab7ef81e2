"""What `/api/callbacks` tells of stored pushes."""

from uuid import uuid4

from tests.service import APPID, OPENID, Service, WorldClock, event, message


async def test_pushes_are_listed_newest_first_in_pages_without_contents(
    service: Service, clock: WorldClock
) -> None:
    for document in (
        message(clock, "what nobody else may read"),
        event(clock, "SCAN", EventKey="7"),
        event(clock, "minigame_coin_deliver_completed", openid="", ToUserName=""),
    ):
        await service.push(document)

    first = await service.read("callbacks", limit=2)
    second = await service.read("callbacks", limit=2, before=first["next"])

    listed = [(item["openid"], item["msgtype"], item["event"]) for item in first["items"]]
    assert listed == [
        ("", "event", "minigame_coin_deliver_completed"),
        (OPENID, "event", "SCAN"),
    ]
    assert [item["msgtype"] for item in second["items"]] == ["text"]
    assert second["next"] is None
    assert "what nobody else may read" not in str(second)


async def test_a_push_is_read_with_all_that_it_holds(service: Service, clock: WorldClock) -> None:
    await service.push(message(clock, "hello", MsgId=7, Odd="odd"))
    [listed] = (await service.read("callbacks"))["items"]

    read = await service.read(f"callbacks/{listed['id']}")

    assert read.items() >= listed.items()
    assert (read["appid"], read["openid"]) == (APPID, OPENID)
    assert read["payload"]["Content"] == "hello"
    assert (read["payload"]["MsgId"], read["payload"]["Odd"]) == ("7", "odd")


async def test_a_push_that_does_not_exist_is_said_to_be_unknown(service: Service) -> None:
    unknown = uuid4()

    answer = await service.api("GET", f"callbacks/{unknown}")

    assert answer.status_code == 404
    assert answer.json() == {"detail": f"push {unknown} does not exist"}
