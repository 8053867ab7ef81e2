"""Records UnionIDs in every row of their OpenIDs, in the caller's transaction.

Order of locks: `identity` first, which locks the openids rows in the order of their keys, as the
inbox does; then `events` (follow_events, subscription_events, followers, consents), then the codes
of campaigns. An event that is stored at the same time, and a code that is given, therefore either
see the UnionID themselves or get it here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.codes.merge import merge_codes
from app.events import unionid_store as events
from app.identity import remarks
from app.identity import unionid_store as identity
from app.identity.models import UnionIdSource
from app.identity.remarks import Remark
from app.identity.unionid_store import UnionIdResult
from app.metrics import UNIONID_CONFLICTS
from app.wechat.ids import AccountOpenId

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RecordedUnionIds:
    """Result of `record_unionids`.

    changed: number of OpenIDs that had another UnionID before. conflicts: number of OpenIDs that
    keep theirs until WeChat confirms the other one. woken: accounts with OpenIDs that became due;
    enqueue `resolve_job` for each.
    """

    changed: int
    conflicts: int
    woken: tuple[str, ...]


async def record_unionids(
    session: AsyncSession, results: Sequence[UnionIdResult], *, source: UnionIdSource, now: datetime
) -> RecordedUnionIds:
    """Record results, one per OpenID; the OpenIDs must exist.

    A UnionID shows that its account is bound to an Open Platform account: up to MAX_WOKEN of the
    account's OpenIDs that were `not_bound` become due, and more with each further call.
    """
    recorded = await identity.record_results(session, results, source=source, now=now)
    _report_conflicts(recorded.conflicts, source)
    known = [
        (result.appid, result.openid, result.unionid)
        for result in results
        if result.unionid is not None and (result.appid, result.openid) not in recorded.conflicts
    ]
    await events.set_unionids(session, known)
    hows = [
        (result.appid, result.openid, result.how) for result in results if result.how is not None
    ]
    await events.set_how(session, hows)
    for appid, told in _remarks(results).items():
        await remarks.record(session, appid, told)
    await merge_codes(session, known, now)
    woken = {appid for appid, _ in recorded.conflicts}
    woken |= set(await identity.wake_unbound(session, {appid for appid, _, _ in known}, now))
    return RecordedUnionIds(recorded.changed, len(recorded.conflicts), tuple(sorted(woken)))


def _remarks(results: Iterable[UnionIdResult]) -> dict[str, dict[str, Remark]]:
    found = defaultdict[str, dict[str, Remark]](dict)
    for result in results:
        if result.remark is not None:
            found[result.appid][result.openid] = result.remark
    return found


def _report_conflicts(conflicts: Iterable[AccountOpenId], source: UnionIdSource) -> None:
    for appid, people in sorted(Counter(appid for appid, _ in conflicts).items()):
        UNIONID_CONFLICTS.labels(source.value).inc(people)
        log.warning("identity.unionid_conflict", appid=appid, people=people, source=source.value)
