"""`/api/identities`: what the mini-program's backend knows about who is who."""

from fastapi import APIRouter, Request

from app.clock import Clock
from app.db.session import SessionDep
from app.identity.report import report
from app.identity.schemas import Identities, Reported
from app.settings import Settings

router = APIRouter(prefix="/api/identities", tags=["users"])


@router.put("")
async def put_identities(wanted: Identities, request: Request, session: SessionDep) -> Reported:
    """Report OpenIDs with their UnionIDs, as `jscode2session` told them; repeat it freely.

    All of them are taken over, or none. Only who has been erased, and neither pushed anything nor
    logged in since (`logged_in_at`), is passed over and counted as `erased`.
    """
    clock: Clock = request.app.state.clock
    settings: Settings = request.app.state.settings
    return await report(
        session, wanted.identities, now=clock.now(), secret=settings.erasure_hmac_secret
    )
