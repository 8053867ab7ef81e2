"""Figures for the page about them: a day that agrees, one that does not, and one that waits."""

from datetime import timedelta

from app.access.actor import Actor, ActorKind
from app.chart_notes import store
from app.chart_notes.schemas import ChartNoteIn
from app.datacube.days import yesterday
from app.datacube.models import PushDay, WeChatFigures
from tests.service import APPID, Service


async def two_days(service: Service) -> str:
    """Make figures of two days, the second with messages that are missing here."""
    now = service.clock.now()
    newest = yesterday(now)
    async with service.app.state.database.sessions.begin() as session:
        for number, (theirs, ours) in enumerate(((1_200, 1_200), (1_500, 1_300))):
            day = newest - timedelta(days=2 - number)
            follows = {"user_source": 30, "new_user": 7, "cancel_user": 2}
            texts = {"msg_type": 1, "msg_user": 9, "msg_count": theirs}
            for call, row in (("getusersummary", follows), ("getupstreammsg", texts)):
                session.add(
                    WeChatFigures(
                        appid=APPID, call=call, day=day, rows=[row], read_at=now, alone=False
                    )
                )
            session.add(
                PushDay(
                    appid=APPID,
                    day=day,
                    covered=True,
                    follows=7,
                    unfollows=2,
                    qr_follows=5,
                    texts=ours,
                    images=0,
                    voices=0,
                    videos=0,
                    links=0,
                    pushes=ours + 9,
                    refused=0,
                    hours=[0] * 24,
                    last_push_at=now,
                    silences=[],
                    counted_at=now,
                )
            )
        session.add(
            WeChatFigures(
                appid=APPID,
                call="getupstreammsg",
                day=newest,
                rows=None,
                try_at=now + timedelta(hours=1),
                alone=False,
                attempts=1,
                errcode=61503,
                error="data not ready",
            )
        )
    await notes(service)
    return "/figures"


async def notes(service: Service) -> str:
    """Make a note about a day and one about a moment, with a text that looks like markup."""
    now = service.clock.now()
    actor = Actor(ActorKind.OPERATOR, "<i>Li</i>")
    times: list[tuple[str, dict[str, object]]] = [
        ("<script>alert(1)</script> 双十一", {"day": yesterday(now)}),
        ("w" * 200, {"at": now, "appid": APPID}),
    ]
    async with service.app.state.database.sessions.begin() as session:
        for text, when in times:
            note = ChartNoteIn.model_validate({"text": text, **when})
            await store.add(session, actor, note, now)
    return "/figures/notes?done=added"
