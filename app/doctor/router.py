"""`/api/doctor`: what is wrong with the whole link, and what to do about it."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.db.session import SessionDep
from app.doctor.check_request import CheckedLately, request_check
from app.doctor.doctor import Doctor
from app.doctor.schemas import CheckOut, DoctorOut, doctor_out

_TOO_SOON: dict[int | str, dict[str, Any]] = {
    429: {"model": Detail, "description": "WeChat was asked a moment ago"}
}

router = APIRouter(prefix="/api/doctor", tags=["operations"], route_class=ScopedRoute)


# No SessionDep: the doctor has connections of its own, and has to answer without a database, too.
@router.get("", openapi_extra=needs(ApiScope.OPERATIONS_READ))
async def read_findings(request: Request) -> DoctorOut:
    """Return what every check finds, or found less than 3 seconds ago.

    A worker asks WeChat every ten minutes.
    """
    doctor: Doctor = request.app.state.doctor
    return doctor_out(await doctor.recent_findings())


@router.post(
    "/check",
    status_code=202,
    responses=_TOO_SOON,
    openapi_extra=needs(ApiScope.OPERATIONS_READ),
)
async def check_now(request: Request, session: SessionDep) -> CheckOut:
    """Let a worker ask WeChat now. A worker does it, since its address is the one that counts."""
    try:
        await request_check(session, request.app.state.clock.now())
    except CheckedLately as error:
        headers = {"Retry-After": str(error.wait)}
        raise HTTPException(429, str(error), headers=headers) from None
    return CheckOut()
