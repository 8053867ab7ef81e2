"""Alarms, receivers and thresholds for the pages about them."""

from datetime import timedelta

from uuid_utils.compat import uuid7

from app.access.actor import Actor, ActorKind
from app.alarms import receiver_store, threshold_store
from app.alarms.kinds import AlarmKind
from app.alarms.models import Alarm, AlarmReceiver, ReceiverKind
from app.alarms.schemas import Mail, ReceiverIn
from app.alarms.threshold import Threshold
from app.http_client.url_policy import Policy
from app.secret_box import secret_box
from tests.service import APPID, Service

ACTOR = Actor(ActorKind.CLI, "cli")
KEY = "0123-4567-89ab"


async def _receiver(service: Service, kind: ReceiverKind) -> AlarmReceiver:
    mail = Mail(host="smtp.example.com", sender="a@example.com", recipients=["b@example.com"])
    is_mail = kind is ReceiverKind.EMAIL
    receiver_in = ReceiverIn(
        name="<b>值班群</b>",
        kind=kind,
        url=None if is_mail else f"https://robot.example.com/send?key={KEY}",
        mail=mail if is_mail else None,
    )
    box, now = secret_box(service.settings), service.clock.now()
    async with service.app.state.database.sessions.begin() as session:
        receiver = await receiver_store.add(
            session, ACTOR, receiver_in, box, Policy(http=False, private=False), now
        )
        receiver.failures, receiver.failing_since = 3, now
        receiver.error, receiver.next_at = "errcode 93000: <i>invalid</i>", now
        return receiver


async def a_list(service: Service) -> str:
    """Alarms that last and are over, receivers that fail, thresholds that are set."""
    for kind in (ReceiverKind.WECOM, ReceiverKind.EMAIL):
        await _receiver(service, kind)
    now = service.clock.now()
    async with service.app.state.database.sessions.begin() as session:
        for number, alarm_kind in enumerate(AlarmKind):
            session.add(
                Alarm(
                    id=uuid7(),
                    kind=alarm_kind.value,
                    appid=APPID,
                    subject="access-token",
                    value=1234.5,
                    threshold=20,
                    began_at=now - timedelta(hours=2),
                    seen_at=now,
                    ended_at=None if number % 2 else now,
                )
            )
        await threshold_store.put(
            session, ACTOR, AlarmKind.NO_PUSH, APPID, Threshold(value=30), now
        )
        await threshold_store.put(session, ACTOR, AlarmKind.QUOTA, "", Threshold(False, 95), now)
    return "/alarms"


async def a_robot(service: Service) -> str:
    """The form of a robot that does not take alarms."""
    return f"/alarms/receivers/{(await _receiver(service, ReceiverKind.DINGTALK)).id}"


async def an_e_mail(service: Service) -> str:
    """The form of an e-mail."""
    return f"/alarms/receivers/{(await _receiver(service, ReceiverKind.EMAIL)).id}"
