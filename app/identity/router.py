"""`/api/identities`: what the mini-program's backend knows about who is who."""

from fastapi import APIRouter, Request

from app.clock import Clock
from app.db.session import SessionDep
from app.identity.report import report
from app.identity.schemas import Identities, Reported

router = APIRouter(prefix="/api/identities", tags=["users"])


@router.put("")
async def put_identities(wanted: Identities, request: Request, session: SessionDep) -> Reported:
    """Report OpenIDs with their UnionIDs, as `jscode2session` told them; repeat it freely.

    All of them are taken over, or none.
    """
    clock: Clock = request.app.state.clock
    return await report(session, wanted.identities, clock.now())
