"""How often each account may call each API, and has called it. Source: protocol 7.4; linkage 7."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta, timezone

from simulator.accounts import Account
from simulator.errors import ApiError

SHANGHAI = timezone(timedelta(hours=8))
# Of a new account. The page of protocol 7.4 has more; these are the calls that the simulator knows.
DAILY_LIMITS = {
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/media/upload": 100_000,
    "/cgi-bin/user/get": 500,
    "/cgi-bin/user/info": 5_000_000,
    "/cgi-bin/user/info/batchget": 5_000_000,
    "/cgi-bin/stable_token": 500_000,
}
# Of other calls no number is printed.
MINUTE_LIMITS = {"/cgi-bin/stable_token": 10_000}
MINUTE_SECONDS = 60
CLEARINGS_A_MONTH = 10


class Quotas:
    """The calls of all accounts, and how often their quotas were cleared."""

    def __init__(self) -> None:
        self._days: Counter[tuple[str, str, date]] = Counter()
        self._minutes: Counter[tuple[str, str, int]] = Counter()
        self._cleared: defaultdict[str, list[date]] = defaultdict(list)

    def used(self, account: Account, path: str, now: datetime) -> int:
        """Return how many calls of a path are used today, those of other programs too."""
        today = _day(now)
        others = 0 if today in self._cleared[account.appid] else account.quota_used.get(path, 0)
        return others + self._days[account.appid, path, today]

    def take(self, account: Account, path: str, now: datetime) -> None:
        """Count one call. Raises ApiError 45009 beyond the day's quota, 45011 beyond the minute's.

        A call that is refused does not count.
        """
        if self.used(account, path, now) >= daily_limit(account, path, otherwise=1 << 62):
            raise ApiError(45009)
        minute = (account.appid, path, int(now.timestamp()) // MINUTE_SECONDS)
        most = minute_limit(account, path)
        if most is not None and self._minutes[minute] >= most:
            raise ApiError(45011)
        self._minutes[minute] += 1
        self._days[account.appid, path, _day(now)] += 1

    def clear(self, account: Account, now: datetime) -> None:
        """Let the quotas of all paths begin anew. Raises ApiError 48006 after ten times a month."""
        today, cleared = _day(now), self._cleared[account.appid]
        if sum((one.year, one.month) == (today.year, today.month) for one in cleared) >= (
            CLEARINGS_A_MONTH
        ):
            raise ApiError(48006)
        cleared.append(today)
        for key in [key for key in self._days if key[0] == account.appid]:
            del self._days[key]


def daily_limit(account: Account, path: str, *, otherwise: int) -> int:
    """Return how many calls of a path an account may make a day."""
    return account.daily_limits.get(path, DAILY_LIMITS.get(path, otherwise))


def minute_limit(account: Account, path: str) -> int | None:
    """Return how many calls of a path an account may make a minute; None: no number is known."""
    return account.minute_limits.get(path, MINUTE_LIMITS.get(path))


def _day(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
