"""`/api/identities`: what the mini-program's backend knows about who is who."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError

from app.clock import Clock
from app.db.session import SessionDep
from app.identity.report import report
from app.identity.schemas import Identities, Identity, Reported
from app.settings import Settings

CLOCKS_APART: Final = timedelta(minutes=10)

router = APIRouter(prefix="/api/identities", tags=["users"])


@router.put("")
async def put_identities(wanted: Identities, request: Request, session: SessionDep) -> Reported:
    """Report OpenIDs with their UnionIDs, as `jscode2session` told them; repeat it freely.

    All of them are taken over, or none. Only who has been erased, and neither pushed anything nor
    logged in since (`logged_in_at`), is passed over and counted as `erased`.
    """
    clock: Clock = request.app.state.clock
    settings: Settings = request.app.state.settings
    now = clock.now()
    _check_logins(wanted.identities, now)
    return await report(session, wanted.identities, now=now, secret=settings.erasure_hmac_secret)


def _check_logins(identities: Sequence[Identity], now: datetime) -> None:
    ahead = [
        {
            "type": "value_error",
            "loc": ("body", "identities", place, "logged_in_at"),
            "msg": f"lies in the future: it is {now.isoformat()} here",
            "input": one.logged_in_at.isoformat(),
        }
        for place, one in enumerate(identities)
        if one.logged_in_at is not None and one.logged_in_at > now + CLOCKS_APART
    ]
    if ahead:
        raise RequestValidationError(ahead)
