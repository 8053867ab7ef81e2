"""Access tokens of one account: two families that know nothing of each other.

Source: protocol 7.1.
"""

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.errors import ApiError

OVERLAP = timedelta(minutes=5)
FORCE_SPACING = timedelta(seconds=30)
FORCES_PER_DAY = 20
WELL_FORMED = re.compile(r"[0-9]{2,3}_[A-Za-z0-9_-]{100,500}")


@dataclass(slots=True)
class AccessToken:
    """One issued token; `replaced` once a newer one of its family exists."""

    value: str
    expires_at: datetime
    replaced: bool = False

    def seconds_left(self, now: datetime) -> int:
        """Return the remaining life in whole seconds."""
        return int((self.expires_at - now).total_seconds())

    def retire(self, at: datetime) -> None:
        """Give way to a newer token: dead from `at` on."""
        self.replaced = True
        self.expires_at = at


@dataclass(slots=True)
class AccountTokens:
    """Everything issued to one account."""

    ordinary: AccessToken | None = None
    stable: AccessToken | None = None
    forced_at: list[datetime] = field(default_factory=list)
    issued: dict[str, AccessToken] = field(default_factory=dict)

    def take_ordinary(self, now: datetime, lifetime: timedelta) -> AccessToken:
        """Answer `GET token`: always a new one; the one before lives 5 more minutes."""
        if self.ordinary is not None:
            self.ordinary.retire(now + OVERLAP)
        self.ordinary = self._issue(now, lifetime)
        return self.ordinary

    def take_stable(self, now: datetime, lifetime: timedelta, *, force: bool) -> AccessToken:
        """Answer `stable_token`: the same one until 5 minutes before its end.

        force kills the old one at once, unless it is asked too often: then nothing changes.
        """
        forced = force and self._may_force(now)
        if forced:
            self.forced_at.append(now)
        current = self.stable
        if current is not None:
            if not forced and current.expires_at - now > OVERLAP:
                return current
            current.retire(now if forced else now + OVERLAP)
        self.stable = self._issue(now, lifetime)
        return self.stable

    def check(self, value: str, now: datetime) -> None:
        """Raise ApiError 40001 for a token that was replaced, 42001 for one that ran out."""
        token = self.issued[value]
        if now >= token.expires_at:
            raise ApiError(40001 if token.replaced else 42001)

    def _may_force(self, now: datetime) -> bool:
        self.forced_at = [at for at in self.forced_at if now - at < timedelta(days=1)]
        spaced = not self.forced_at or now - self.forced_at[-1] >= FORCE_SPACING
        return spaced and len(self.forced_at) < FORCES_PER_DAY

    def _issue(self, now: datetime, lifetime: timedelta) -> AccessToken:
        token = AccessToken(f"81_{secrets.token_urlsafe(96)}", now + lifetime)
        self.issued[token.value] = token
        return token
