"""The parameterised QR codes that WeChat has made. Source: protocol 9.5; linkage 4."""

import secrets
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from simulator.errors import ApiError
from simulator.links import SHANGHAI

A_DAY = 100_000


@dataclass(frozen=True, slots=True)
class MadeQrCode:
    """One code. expires_at: None for a permanent one."""

    appid: str
    scene: str
    ticket: str
    url: str
    expires_at: datetime | None


@dataclass(slots=True)
class QrCodeStore:
    """Every code that was made. a_day: how many an account may make in one day."""

    a_day: int = A_DAY
    made: list[MadeQrCode] = field(default_factory=list)
    days: defaultdict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, appid: str, scene: str, expires_at: datetime | None, now: datetime) -> MadeQrCode:
        """Make a code. Raises ApiError 45009 above the limit of the day."""
        day = appid, now.astimezone(SHANGHAI).date()
        if self.days[day] >= self.a_day:
            raise ApiError(45009)
        self.days[day] += 1
        # WeChat's own tickets hold characters that a URL must escape.
        ticket = f"gQ{secrets.token_urlsafe(24)}+/{secrets.token_urlsafe(24)}=="
        url = f"http://weixin.qq.com/q/02{secrets.token_urlsafe(12)}"
        code = MadeQrCode(appid, scene, ticket, url, expires_at)
        self.made.append(code)
        return code
