"""`/api/identities`: a mini-program's backend reports OpenIDs with their UnionIDs."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.access.caller import actor_of, caller_of
from app.access.scopes import ApiScope, needs
from app.api_errors import MAX_PROBLEMS, InvalidRequest, Problem
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.session import SessionDep
from app.settings import Settings
from app.tombstones.erasure_secret import erasure_secret
from app.unionid_resolution.login_report import report
from app.unionid_resolution.schemas import EXAMPLES, Identities, Identity, Reported

# A reported login may be so far ahead of our clock.
MAX_CLOCK_SKEW: Final = timedelta(minutes=10)

router = APIRouter(prefix="/api/identities", tags=["users"], route_class=BoundedRoute)


@router.put("", openapi_extra=needs(ApiScope.IDENTITIES_WRITE))
async def put_identities(
    body: Annotated[Identities, Body(openapi_examples=EXAMPLES)],
    request: Request,
    session: SessionDep,
) -> Reported:
    """Report OpenIDs with their UnionIDs, as `jscode2session` returned them; repeating is safe.

    Either all identities are recorded or none. If mini-programs are configured (`ACCOUNTS_FILE`,
    `MINI_PROGRAM_APPIDS`), only these and the other configured accounts are accepted. An Official
    Account whose AppSecret is configured is never accepted: WeChat itself is asked there. A token
    of the database reports identities of the accounts that it names, and of no others. People
    who were erased and have neither pushed anything nor logged in since (`logged_in_at`) are
    skipped and counted as `erased`.
    """
    appids = {one.appid for one in body.identities}
    caller_of(request).require_appids(appids)
    clock: Clock = request.app.state.clock
    settings: Settings = request.app.state.settings
    now = clock.now()
    problems = list(islice(_problems(body.identities, settings, now), MAX_PROBLEMS))
    if problems:
        raise InvalidRequest(problems)
    # A backend reports at each login: an entry each would bury what people do.
    await audit.record_hourly(
        session,
        actor_of(request),
        Action.IDENTITIES_REPORTED,
        Subject(SubjectKind.ACCOUNT, " ".join(sorted(appids))),
        now=now,
        count=len(body.identities),
    )
    return await report(session, body.identities, now=now, secret=erasure_secret(settings))


def _accepted_appids(settings: Settings) -> Collection[str] | None:
    """Return the accounts whose identities may be reported; None: any account."""
    if not settings.mini_programs:
        return None
    return settings.accounts.keys() | settings.mini_programs


def _problems(
    identities: Sequence[Identity], settings: Settings, now: datetime
) -> Iterator[Problem]:
    accepted = _accepted_appids(settings)
    for index, one in enumerate(identities):
        if accepted is not None and one.appid not in accepted:
            yield _problem(
                index,
                "appid",
                "is not configured: add the account to ACCOUNTS_FILE, or a mini-program to "
                "MINI_PROGRAM_APPIDS",
            )
        if one.appid in settings.asked_accounts:
            yield _problem(
                index,
                "appid",
                "is an Official Account whose AppSecret is configured: WeChat is asked for its "
                "UnionIDs; report the OpenIDs of your mini-program",
            )
        if one.logged_in_at is not None and one.logged_in_at > now + MAX_CLOCK_SKEW:
            message = f"lies in the future: the time here is {now.isoformat()}"
            yield _problem(index, "logged_in_at", message)


def _problem(index: int, field: str, message: str) -> Problem:
    return Problem(loc=["body", "identities", index, field], msg=message, type="value_error")
