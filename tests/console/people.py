"""People in front of the console: follows, scans, consents and deliveries, also hostile ones."""

from datetime import timedelta
from typing import Final

from app.access.roles import Role
from tests.console.operator import signed_in
from tests.service import APPID, OPENID, OTHER_OPENID, Service, event

HOSTILE: Final = "=1+1<b onclick=x>\u202e'\""
TEMPLATE: Final = "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc"


async def lives(service: Service) -> None:
    """Let two people follow, one of them by a hostile QR code, and one of them subscribe."""
    for openid, key in ((OPENID, f"qrscene_{HOSTILE}"), (OTHER_OPENID, "")):
        await push(service, "subscribe", openid, EventKey=key)
    await subscribe(service)
    await push(service, "SCAN", OPENID, EventKey="8")
    await push(service, "unsubscribe", OTHER_OPENID)


async def push(service: Service, name: str, openid: str, **more: object) -> None:
    """Let a person do something, a second after what was before."""
    service.clock.advance(timedelta(seconds=1))
    answer = await service.push(event(service.clock, name, openid=openid, **more))
    assert answer.status_code == 200


async def subscribe(
    service: Service, openid: str = OPENID, status: str = "accept", template: str = TEMPLATE
) -> None:
    """Let a person answer a popup of one template."""
    answer = {"TemplateId": template, "SubscribeStatusString": status, "PopupScene": "1"}
    popup = {"List": answer}
    await push(service, "subscribe_msg_popup_event", openid, SubscribeMsgPopupEvent=popup)


async def deliver(service: Service, code: str, openid: str = OPENID) -> None:
    """Let WeChat report how the sending of a notification went."""
    sent = {"List": {"TemplateId": TEMPLATE, "MsgID": "1", "ErrorCode": code, "ErrorStatus": "s"}}
    await push(service, "subscribe_msg_sent_event", openid, SubscribeMsgSentEvent=sent)


async def person_path(service: Service, openid: str = OPENID) -> str:
    """Return the path of the page of a person."""
    async with signed_in(service, Role.VIEWER, name="Finder") as finder:
        answer = await finder.post("/followers/find", {"person": openid})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removeprefix("/console")


async def a_list(service: Service) -> str:
    """Make the list of followers."""
    await lives(service)
    return "/followers"


async def a_person(service: Service) -> str:
    """Make a person; return the path of their page."""
    await lives(service)
    return await person_path(service)


async def growth(service: Service) -> str:
    """Make the figures of growth."""
    await lives(service)
    return "/followers/growth"


async def subscriptions(service: Service) -> str:
    """Make the figures of subscriptions."""
    await lives(service)
    await subscribe(service, template=HOSTILE)
    await deliver(service, "0")
    return "/subscriptions"


async def recipients(service: Service) -> str:
    """Make the list of those who may still be sent notifications of a template."""
    await subscribe(service)
    await subscribe(service, OTHER_OPENID)
    return f"/subscriptions/recipients?appid={APPID}&template={TEMPLATE}"


async def an_erasure(service: Service) -> str:
    """Open an erasure; return the path of its page."""
    path = await a_person(service)
    async with signed_in(service, Role.OWNER, name="Eraser") as eraser:
        answer = await eraser.post(f"{path}/erase", {"confirmation": OPENID[-4:]})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removeprefix("/console")


async def erasures(service: Service) -> str:
    """Make the list of erasures."""
    await an_erasure(service)
    return "/followers/erasures"


async def an_erasure_that_needs_a_person(service: Service) -> str:
    """Let WeChat tell of somebody it does not name; return the path of the erasure's page."""
    service.clock.advance(timedelta(seconds=1))
    cancelled = event(service.clock, "user_authorization_cancellation", openid="oPLATFORM")
    assert (await service.push(cancelled)).status_code == 200
    (found,) = (await service.read("erasures", needs_person="true"))["items"]
    return f"/followers/erasures/{found['id']}"
