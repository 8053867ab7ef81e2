"""`/api/identities`: what the mini-program's backend knows about who is who."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails

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

    All of them are taken over, or none. Their accounts are configured ones, or mini-programs that
    `MINI_PROGRAM_APPIDS` lists. Only who has been erased, and neither pushed anything nor logged in
    since (`logged_in_at`), is passed over and counted as `erased`.
    """
    clock: Clock = request.app.state.clock
    settings: Settings = request.app.state.settings
    now = clock.now()
    configured = settings.accounts.keys() | settings.mini_programs
    problems = list(_problems(wanted.identities, configured, now))
    if problems:
        raise RequestValidationError(problems)
    return await report(session, wanted.identities, now=now, secret=settings.erasure_hmac_secret)


def _problems(
    identities: Sequence[Identity], configured: Collection[str], now: datetime
) -> Iterator[ErrorDetails]:
    for place, one in enumerate(identities):
        if one.appid not in configured:
            yield _problem(
                place,
                "appid",
                one.appid,
                "is not configured: add the account to ACCOUNTS_FILE, or a mini-program to "
                "MINI_PROGRAM_APPIDS",
            )
        if one.logged_in_at is not None and one.logged_in_at > now + CLOCKS_APART:
            said = f"lies in the future: it is {now.isoformat()} here"
            yield _problem(place, "logged_in_at", one.logged_in_at.isoformat(), said)


def _problem(place: int, field: str, value: str, said: str) -> ErrorDetails:
    return {
        "type": "value_error",
        "loc": ("body", "identities", place, field),
        "msg": said,
        "input": value,
    }
