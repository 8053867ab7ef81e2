"""When a code ends, when the worker renews it, and what its state is called. Pure.

Source: protocol 9.5; linkage 4.
"""

import random
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from app.qrcodes.models import QrCode, QrKind
from app.wechat.api_responses import MAX_QR_SECONDS, QrTicket

LONGEST: Final = timedelta(seconds=MAX_QR_SECONDS)
# Of the life that WeChat grants. The clocks and the rounding are WeChat's; and a code that can't be
# renewed for a week lives on.
RECKONED: Final = 29 / 30
RENEWED: Final = 22 / 30
# Codes that were made together are spread, so that they are not due together for ever.
SPREAD: Final = 1 / 30
NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


class QrState(StrEnum):
    """Whether a code can be scanned.

    waiting: WeChat is still to be asked. refused: WeChat has refused it when it was asked.
    unanswered: WeChat was asked, and did not answer. not_renewed: it can be scanned, but WeChat was
    asked in vain for its renewal. ended: nor can it be scanned any more.
    """

    WAITING = "waiting"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    LIVE = "live"
    NOT_RENEWED = "not_renewed"
    ENDED = "ended"


def end_of(kind: QrKind, ticket: QrTicket, now: datetime) -> datetime | None:
    """Return when the service reckons with the end of a code; None for a permanent one."""
    return None if kind is QrKind.PERMANENT else now + (ticket.lives or LONGEST) * RECKONED


def renewal_of(kind: QrKind, ticket: QrTicket, now: datetime) -> datetime:
    """Return when a code made now is renewed; NEVER for a permanent one."""
    if kind is QrKind.PERMANENT:
        return NEVER
    spread = random.uniform(0, SPREAD)  # noqa: S311 - spreads load, hides nothing
    return now + (ticket.lives or LONGEST) * (RENEWED - spread)


def is_live(expires_at: datetime | None, now: datetime) -> bool:
    """Return whether a code that was made can be scanned. expires_at: None for a permanent one."""
    return expires_at is None or now < expires_at


def state_of(code: QrCode, now: datetime) -> QrState:
    """Return the state of a code."""
    failed = code.failed_at is not None
    if code.url is None:
        asked = QrState.UNANSWERED if code.errcode is None else QrState.REFUSED
        return asked if failed else QrState.WAITING
    if not is_live(code.expires_at, now):
        return QrState.ENDED
    return QrState.NOT_RENEWED if failed else QrState.LIVE
