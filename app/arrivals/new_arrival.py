"""A report that is to be stored. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from app.arrivals.models import ArrivalKind
from app.arrivals.query_text import candidates
from app.arrivals.schemas import ConversionIn, LaunchIn

# By the reporter's clock. A report is known by its id for longer than it may be late, so that an
# old one that is sent again changes nothing.
MAX_AGE: Final = timedelta(days=7)
MAX_CLOCK_SKEW: Final = timedelta(minutes=10)
_KEY_BYTES: Final = 16


class BadReport(ValueError):
    """A report can't be stored. loc: the path of the member that is wrong. The text says why."""

    def __init__(self, loc: Sequence[str | int], what: str) -> None:
        super().__init__(what)
        self.loc = tuple(loc)


@dataclass(frozen=True, slots=True)
class NewArrival:
    """A report as `arrivals` gets it; see `models.Arrival`."""

    id: UUID
    kind: ArrivalKind
    appid: str
    report_key: bytes
    received_at: datetime
    at: datetime
    openid: str | None
    unionid: str | None
    scene: int | None
    path: str | None
    query: str | None
    referrer_appid: str | None
    name: str | None
    value: Decimal | None
    currency: str | None
    refs: list[str]


def new_arrival(report: LaunchIn | ConversionIn, now: datetime) -> NewArrival:
    """Return the row of a report that came now. Raises BadReport if it is too old or from later."""
    if report.at > now + MAX_CLOCK_SKEW:
        raise BadReport(["at"], f"lies in the future: the time here is {now.isoformat()}")
    if report.at < now - MAX_AGE:
        raise BadReport(["at"], "is more than 7 days ago: a report comes no later")
    launch = report if isinstance(report, LaunchIn) else None
    conversion = report if isinstance(report, ConversionIn) else None
    query = (launch.query or None) if launch else None
    return NewArrival(
        id=uuid7(),
        kind=ArrivalKind(report.kind),
        appid=report.appid,
        report_key=hashlib.blake2b(report.id.encode(), digest_size=_KEY_BYTES).digest(),
        received_at=now,
        at=report.at,
        openid=report.openid,
        unionid=report.unionid,
        scene=launch.scene if launch else None,
        path=(launch.path or None) if launch else None,
        query=query,
        referrer_appid=(launch.referrer_appid or None) if launch else None,
        name=conversion.name if conversion else None,
        value=conversion.value if conversion else None,
        currency=conversion.currency if conversion else None,
        refs=candidates(report.ref, query),
    )
