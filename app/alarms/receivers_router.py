"""`/api/alarms/receivers`: who is told of alarms. Their addresses and secrets are never shown."""

from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Request

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.alarms import deliver, examples, receiver_store
from app.alarms.deliver import Teller
from app.alarms.errors import BadReceiver, RecentlyTested, TooManyReceivers
from app.alarms.http_errors import JUST_TESTED, TOO_MANY, UNKNOWN, unknown, unprocessable
from app.alarms.models import AlarmReceiver
from app.alarms.schemas import (
    ReceiverId,
    ReceiverIn,
    ReceiverList,
    ReceiverOut,
    ReceiverReplacement,
    ReceiverTest,
)
from app.api_route import BoundedRoute
from app.db.session import SessionDep
from app.read_only import require_unchanged

router = APIRouter(prefix="/api/alarms/receivers", tags=["alarms"], route_class=BoundedRoute)


@router.get("", openapi_extra=needs(ApiScope.ALARMS_READ))
async def list_receivers(session: SessionDep) -> ReceiverList:
    """List every receiver, the oldest first."""
    rows = await receiver_store.all_receivers(session)
    return ReceiverList(items=[ReceiverOut.of(row) for row in rows])


@router.post("", status_code=201, responses=TOO_MANY, openapi_extra=needs(ApiScope.ALARMS_WRITE))
async def add_receiver(
    receiver: Annotated[ReceiverIn, Body(openapi_examples=examples.RECEIVERS)],
    request: Request,
    session: SessionDep,
) -> ReceiverOut:
    """Add a receiver. It is told of the alarms that last, and of those to come."""
    teller, actor = _teller(request), actor_of(request)
    try:
        added = await receiver_store.add(
            session, actor, receiver, teller.box, teller.transport.policy, teller.clock.now()
        )
    except BadReceiver as error:
        raise unprocessable(error) from None
    except TooManyReceivers:
        most = receiver_store.MAX_RECEIVERS
        raise HTTPException(409, f"there are {most} receivers: delete one first") from None
    return ReceiverOut.of(added)


@router.get("/{receiver_id}", responses=UNKNOWN, openapi_extra=needs(ApiScope.ALARMS_READ))
async def get_receiver(receiver_id: ReceiverId, session: SessionDep) -> ReceiverOut:
    """Read a receiver and its state."""
    found = await session.get(AlarmReceiver, receiver_id)
    if found is None:
        raise unknown(receiver_id)
    return ReceiverOut.of(found)


@router.put("/{receiver_id}", responses=UNKNOWN, openapi_extra=needs(ApiScope.ALARMS_WRITE))
async def replace_receiver(
    receiver_id: ReceiverId,
    receiver: Annotated[ReceiverReplacement, Body(openapi_examples=examples.REPLACEMENTS)],
    request: Request,
    session: SessionDep,
) -> ReceiverOut:
    """Replace all fields of a receiver; secrets that are left out stay as they are stored.

    `id`, `kind` and `created_at` can't be changed; the other members that only the service sets are
    ignored. Its failures are forgotten. A password must be written again if the server changes.
    """
    teller, actor = _teller(request), actor_of(request)
    stored = await receiver_store.locked(session, receiver_id)
    if stored is None:
        raise unknown(receiver_id)
    require_unchanged(receiver, stored, "id", "created_at")
    try:
        await receiver_store.replace(
            session,
            actor,
            stored,
            receiver,
            teller.box,
            teller.transport.policy,
            teller.clock.now(),
        )
    except BadReceiver as error:
        raise unprocessable(error) from None
    return ReceiverOut.of(stored)


@router.delete(
    "/{receiver_id}",
    status_code=204,
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.ALARMS_WRITE),
)
async def delete_receiver(receiver_id: ReceiverId, request: Request, session: SessionDep) -> None:
    """Delete a receiver. It is told nothing any more."""
    now = _teller(request).clock.now()
    if not await receiver_store.remove(session, actor_of(request), receiver_id, now):
        raise unknown(receiver_id)


@router.post(
    "/{receiver_id}/test", responses=JUST_TESTED, openapi_extra=needs(ApiScope.ALARMS_WRITE)
)
async def test_receiver(receiver_id: ReceiverId, request: Request) -> ReceiverTest:
    """Send a test message now, also to a receiver that is switched off; wait for the answer."""
    teller = _teller(request)
    # No transaction is open while it is sent.
    async with teller.sessions.begin() as session:
        receiver = await receiver_store.locked(session, receiver_id)
        if receiver is None:
            raise unknown(receiver_id)
        try:
            await receiver_store.begin_test(
                session, actor_of(request), receiver, teller.clock.now()
            )
        except RecentlyTested as error:
            raise HTTPException(429, str(error)) from None
    result = await deliver.send_test(teller, receiver)
    return ReceiverTest(accepted=result.accepted, error=result.error or result.note)


def _teller(request: Request) -> Teller:
    state = request.app.state
    return Teller(state.database.sessions, state.clock, state.settings)
