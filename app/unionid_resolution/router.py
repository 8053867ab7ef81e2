"""`/api/identities`: what the mini-program's backend knows about who is who."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails

from app.api_errors import MAX_PROBLEMS
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.session import SessionDep
from app.settings import Settings
from app.unionid_resolution.login_report import report
from app.unionid_resolution.schemas import Identities, Identity, Reported

CLOCKS_APART: Final = timedelta(minutes=10)

router = APIRouter(prefix="/api/identities", tags=["users"], route_class=BoundedRoute)


@router.put("")
async def put_identities(wanted: Identities, request: Request, session: SessionDep) -> Reported:
    """Report OpenIDs with their UnionIDs, as `jscode2session` told them; repeat it freely.

    All of them are taken over, or none. Where mini-programs are listed (`ACCOUNTS_FILE`,
    `MINI_PROGRAM_APPIDS`), only these and the other configured accounts are taken. Who has been
    erased, and neither pushed anything nor logged in since (`logged_in_at`), is passed over and
    counted as `erased`.
    """
    clock: Clock = request.app.state.clock
    settings: Settings = request.app.state.settings
    now = clock.now()
    found = _problems(wanted.identities, _reporting(settings), now)
    problems = list(islice(found, MAX_PROBLEMS))
    if problems:
        raise RequestValidationError(problems)
    return await report(session, wanted.identities, now=now, secret=settings.erasure_hmac_secret)


def _reporting(settings: Settings) -> Collection[str] | None:
    """Return whose people may be reported; None: anybody's, as with the cards."""
    if not settings.mini_programs:
        return None
    return settings.accounts.keys() | settings.mini_programs


def _problems(
    identities: Sequence[Identity], reporting: Collection[str] | None, now: datetime
) -> Iterator[ErrorDetails]:
    for place, one in enumerate(identities):
        if reporting is not None and one.appid not in reporting:
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
