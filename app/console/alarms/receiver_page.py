"""Adds, changes, tests and deletes receivers of alarms. What is secret in one is never shown."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from app.alarms import deliver, receiver_store
from app.alarms.check_receiver import SIGNING
from app.alarms.deliver import Teller
from app.alarms.errors import BadReceiver, RecentlyTested, TooManyReceivers
from app.alarms.models import AlarmReceiver, ReceiverKind
from app.alarms.send import SendResult
from app.console.alarms import alarm_labels
from app.console.alarms.receiver_form import ReceiverForm
from app.console.alarms.router import router
from app.console.errors import NotFound
from app.console.language import language_of
from app.console.messages import N_, Messages
from app.console.render import render
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep

SEE_OTHER: Final = 303
_TOO_MANY: Final = N_("There are 20 receivers, which is the most: delete one first.")
_WAIT: Final = N_("It was sent a test just now: wait ten seconds.")


@router.get("/receivers/new/{kind}")
async def show_new(request: Request, _visitor: Editor, kind: ReceiverKind) -> Response:
    """Show the form of a new receiver."""
    return _form(request, kind, ReceiverForm(enabled="on", language=language_of(request)))


@router.post("/receivers/new/{kind}")
async def add(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    kind: ReceiverKind,
    form: Annotated[ReceiverForm, Form()],
) -> Response:
    """Add a receiver."""
    receiver_in, wrong = form.read(kind)
    if receiver_in is None:
        return _form(request, kind, form, _problems(request, wrong))
    teller, actor = _teller(request), actor_of(request, visitor)
    policy, now = teller.transport.policy, teller.clock.now()
    try:
        await receiver_store.add(session, actor, receiver_in, teller.box, policy, now)
    except BadReceiver as error:
        return _form(request, kind, form, _problems(request, {error.field}))
    except TooManyReceivers:
        problem = Messages(language_of(request)).text(_TOO_MANY)
        return _form(request, kind, form, {"all": problem})
    return RedirectResponse(console_path("/alarms?done=added"), SEE_OTHER)


@router.get("/receivers/{receiver_id}")
async def show(
    request: Request, _visitor: Editor, session: SessionDep, receiver_id: UUID
) -> Response:
    """Show the form of a receiver, and its state."""
    receiver = await session.get(AlarmReceiver, receiver_id)
    if receiver is None:
        raise NotFound
    return _form(request, receiver.kind, ReceiverForm.of(receiver), receiver=receiver)


@router.post("/receivers/{receiver_id}")
async def save(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    receiver_id: UUID,
    form: Annotated[ReceiverForm, Form()],
) -> Response:
    """Replace a receiver; secrets that are left empty stay as they are stored."""
    receiver = await receiver_store.locked(session, receiver_id)
    if receiver is None:
        raise NotFound
    receiver_in, wrong = form.read(receiver.kind)
    if receiver_in is None:
        problems = _problems(request, wrong)
        return _form(request, receiver.kind, form, problems, receiver)
    teller, actor = _teller(request), actor_of(request, visitor)
    policy, now = teller.transport.policy, teller.clock.now()
    try:
        await receiver_store.replace(session, actor, receiver, receiver_in, teller.box, policy, now)
    except BadReceiver as error:
        problems = _problems(request, {error.field})
        return _form(request, receiver.kind, form, problems, receiver)
    return RedirectResponse(console_path("/alarms?done=saved"), SEE_OTHER)


@router.post("/receivers/{receiver_id}/delete")
async def delete(
    request: Request, visitor: Editor, session: SessionDep, receiver_id: UUID
) -> Response:
    """Delete a receiver."""
    now = request.app.state.clock.now()
    if not await receiver_store.remove(session, actor_of(request, visitor), receiver_id, now):
        raise NotFound
    return RedirectResponse(console_path("/alarms?done=deleted"), SEE_OTHER)


@router.post("/receivers/{receiver_id}/test")
async def send_test(request: Request, visitor: Editor, receiver_id: UUID) -> Response:
    """Send a test message now, and show what came of it."""
    teller = _teller(request)
    # No transaction is open while it is sent.
    async with teller.sessions.begin() as session:
        receiver = await receiver_store.locked(session, receiver_id)
        if receiver is None:
            raise NotFound
        actor, now = actor_of(request, visitor), teller.clock.now()
        try:
            await receiver_store.begin_test(session, actor, receiver, now)
        except RecentlyTested:
            wait = Messages(language_of(request)).text(_WAIT)
            return _tested(request, receiver, SendResult(wait), status=429)
    return _tested(request, receiver, await deliver.send_test(teller, receiver))


def _tested(
    request: Request, receiver: AlarmReceiver, result: SendResult, status: int = 200
) -> Response:
    return render(request, "alarms/tested.html", status=status, receiver=receiver, result=result)


def _form(
    request: Request,
    kind: ReceiverKind,
    form: ReceiverForm,
    problems: Mapping[str, str] | None = None,
    receiver: AlarmReceiver | None = None,
) -> Response:
    return render(
        request,
        "alarms/receiver.html",
        status=422 if problems else 200,
        kind=kind,
        form=form,
        problems=problems or {},
        receiver=receiver,
        signs=kind in SIGNING,
        texts=alarm_labels,
    )


def _problems(request: Request, fields: set[str]) -> dict[str, str]:
    translate = Messages(language_of(request)).text
    return {name: translate(alarm_labels.PROBLEMS[_field(name)]) for name in map(_field, fields)}


def _field(name: str) -> str:
    return name if name in alarm_labels.PROBLEMS else "name"


def _teller(request: Request) -> Teller:
    state = request.app.state
    return Teller(state.database.sessions, state.clock, state.settings)
