"""Access tokens of one account: ordinary and stable ones, which do not affect each other.

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
    """One issued token. replaced: whether a newer token of the same kind exists."""

    value: str
    expires_at: datetime
    replaced: bool = False

    def seconds_left(self, now: datetime) -> int:
        """Return the remaining lifetime in whole seconds."""
        return int((self.expires_at - now).total_seconds())

    def retire(self, at: datetime) -> None:
        """Mark the token as replaced by a newer one; it is invalid from `at` on."""
        self.replaced = True
        self.expires_at = at


@dataclass(slots=True)
class AccountTokens:
    """All tokens issued to one account."""

    ordinary: AccessToken | None = None
    stable: AccessToken | None = None
    forced_at: list[datetime] = field(default_factory=list)
    issued: dict[str, AccessToken] = field(default_factory=dict)

    def take_ordinary(self, now: datetime, lifetime: timedelta) -> AccessToken:
        """Return a new token for `GET token`; the previous one stays valid for 5 more minutes."""
        if self.ordinary is not None:
            self.ordinary.retire(now + OVERLAP)
        self.ordinary = self._issue(now, lifetime)
        return self.ordinary

    def take_stable(self, now: datetime, lifetime: timedelta, *, force: bool) -> AccessToken:
        """Return the token for `stable_token`: the same one until 5 minutes before it expires.

        force: replaces it, and the old one is invalid at once. If force is used too often, it has
        no effect.
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
        """Raise ApiError 40001 for a token that was replaced, 42001 for one that expired."""
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
