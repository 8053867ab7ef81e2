"""Reports replies that expired, in the log and in the metrics."""

from collections.abc import Iterable
from itertools import groupby
from uuid import UUID

import structlog

from app import metrics
from app.replies.expire import ExpiredReply
from app.replies.models import ReplyStatus

log = structlog.get_logger()


def report(
    expired: Iterable[ExpiredReply], *, callback_id: UUID | None = None, errmsg: str | None = None
) -> None:
    """Count each, and write one log line for each account and reason.

    callback_id, errmsg: of one reply; None for many, whose rows say why.
    """
    found = sorted(expired, key=_line)
    for one in found:
        metrics.SENDS.labels(one.msgtype, ReplyStatus.EXPIRED.value).inc()
        metrics.EXPIRED_LATENESS.labels(one.reason.value).observe(one.late_seconds)
    for (appid, reason), group in groupby(found, key=_line):
        late = [one.late_seconds for one in group]
        log.warning(
            "replies.expired",
            appid=appid,
            callback_id=None if callback_id is None else str(callback_id),
            replies=len(late),
            reason=reason,
            late_seconds=round(max(late)),
            errmsg=errmsg or "their send window ended before they were sent",
        )


def _line(one: ExpiredReply) -> tuple[str, str]:
    return one.appid, one.reason.value
