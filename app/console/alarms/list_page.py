"""What alarms last and were, who is told of them, and when they begin."""

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Query, Request, Response

from app.access.roles import Role
from app.alarms import alarm_store, receiver_store, threshold_store
from app.alarms.alarm_store import AlarmState
from app.alarms.kinds import KINDS, AlarmKind
from app.alarms.message import sentence
from app.alarms.models import Alarm
from app.console.alarms import alarm_labels
from app.console.alarms.router import router
from app.console.form_values import Blank
from app.console.language import language_of
from app.console.messages import N_
from app.console.render import render
from app.console.signed_in import Viewer
from app.db.session import SessionDep
from app.wechat.errcodes import Language

PAGE_ROWS: Final = 50
MAX_ACTIVE: Final = 200
Done = Literal["added", "saved", "deleted", "threshold"]
DONE: Final = {
    "added": N_("The receiver is added. Send it a test."),
    "saved": N_("The receiver is saved."),
    "deleted": N_("The receiver is deleted."),
    "threshold": N_("The threshold is saved."),
}


@router.get("")
async def show(
    request: Request,
    visitor: Viewer,
    session: SessionDep,
    before: Annotated[Blank[UUID], Query()] = None,
    done: Annotated[Blank[Done], Query()] = None,
) -> Response:
    """Show alarms, receivers and thresholds."""
    language = language_of(request)
    active = await alarm_store.page(session, before=None, limit=MAX_ACTIVE, state=AlarmState.ACTIVE)
    ended = await alarm_store.page(
        session, before=before, limit=PAGE_ROWS + 1, state=AlarmState.ENDED
    )
    thresholds = threshold_store.listed(await threshold_store.read(session))
    return render(
        request,
        "alarms/index.html",
        notice=None if done is None else DONE[done],
        active=[_row(alarm, language) for alarm in active],
        ended=[_row(alarm, language) for alarm in ended[:PAGE_ROWS]],
        newest="/alarms" if before else None,
        older=f"/alarms?before={ended[PAGE_ROWS - 1].id}" if len(ended) > PAGE_ROWS else None,
        receivers=await receiver_store.all_receivers(session),
        thresholds=[
            (kind, _title(kind, language), appid, threshold, KINDS[kind])
            for kind, appid, threshold in thresholds
        ],
        texts=alarm_labels,
        may_edit=visitor.role.allows(Role.EDITOR),
        editor=Role.EDITOR,
    )


def _row(alarm: Alarm, language: Language) -> tuple[Alarm, str]:
    known = alarm.kind in {kind.value for kind in KINDS}
    return alarm, sentence(alarm, language) if known else alarm.kind


def _title(kind: AlarmKind, language: Language) -> str:
    title = KINDS[kind].title
    return title.zh if language == "zh" else title.en
