"""The job `notices.settle`: joins reports of deliveries to the notices that they are about.

A report names the msgid of its notice. WeChat need not name it in its answer to the call, and that
answer may be lost or recorded later than the report: then the report belongs to the notice of this
person and template that waits for one since the earliest time. Source: protocol 4.3; linkage 2.5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import SessionFactory
from app.notices import ledger
from app.notices.models import NoticeKind
from app.wechat.inbound import Format, Inbound, SubscribeMsgSent, TemplateSendJobFinish, parse

DELIVERED: Final = "0"
SUCCESS: Final = "success"
MAX_RESULT: Final = 200
# CreateTime has whole seconds, by another clock.
CLOCKS: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Report:
    """What WeChat reports of one delivery. template_id: None for a template message."""

    appid: str
    openid: str
    kind: NoticeKind
    template_id: str | None
    msgid: str | None
    delivered: bool
    result: str
    at: datetime


def reports_of(appid: str, openid: str, at: datetime, message: Inbound) -> Iterator[Report]:
    """Yield what a push reports. at: its CreateTime."""
    if isinstance(message, TemplateSendJobFinish):
        status = (message.status or "").strip()
        delivered = status.lower().startswith(SUCCESS)
        yield Report(
            appid,
            openid,
            NoticeKind.TEMPLATE,
            None,
            message.msg_id,
            delivered,
            status[:MAX_RESULT],
            at,
        )
    if isinstance(message, SubscribeMsgSent):
        for item in message.items:
            yield Report(
                appid,
                openid,
                NoticeKind.SUBSCRIPTION,
                item.template_id,
                item.msg_id,
                item.error_code == DELIVERED,
                f"{item.error_code or ''} {item.error_status or ''}".strip()[:MAX_RESULT],
                at,
            )


async def settle(sessions: SessionFactory, callback_ids: Sequence[UUID]) -> None:
    """Join what these pushes report to their notices. A report that was joined has no effect."""
    async with sessions.begin() as session:
        found = await session.execute(_PUSHES, {"ids": list(callback_ids)})
        reports = list[Report]()
        for push in found.all():
            message = parse(orjson.dumps(push.payload).decode(), Format.JSON)
            reports += reports_of(push.appid, push.openid, push.occurred_at, message)
        # All jobs lock people in one order; the reports of one person stay in theirs.
        for report in sorted(reports, key=lambda one: (one.appid, one.openid)):
            await _settle(session, report)


async def _settle(session: AsyncSession, report: Report) -> None:
    # Two pushes with one msgid, in two jobs at once, would each see no notice that has it.
    await session.execute(_ALONE, {"name": f"oa_bridge.notices.{report.appid}.{report.openid}"})
    row = (
        await session.execute(
            _SETTLE,
            {
                "appid": report.appid,
                "openid": report.openid,
                "kind": report.kind.value,
                "template_id": report.template_id,
                "msgid": report.msgid,
                "status": "delivered" if report.delivered else "undelivered",
                "result": report.result,
                "at": report.at,
                "latest": report.at + CLOCKS,
            },
        )
    ).one_or_none()
    if row is not None and row.held:
        await ledger.give_back(session, report.appid, report.openid, row.template_id)


_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")

_PUSHES: Final = text("""
SELECT appid, openid, occurred_at, payload FROM callbacks
WHERE id = ANY(CAST(:ids AS uuid[])) AND payload <> '{}' ORDER BY id
""")

_SETTLE: Final = text("""
WITH found AS (
    SELECT id, template_id, holds_consent FROM notices
    WHERE appid = :appid AND openid = :openid AND kind = :kind
      AND (CAST(:template_id AS text) IS NULL OR template_id = :template_id)
      AND (msgid IS NULL OR CAST(:msgid AS text) IS NULL OR msgid = CAST(:msgid AS text))
      AND status IN ('sending', 'sent', 'unknown') AND tried_at <= :latest
      AND NOT EXISTS (
          SELECT FROM notices n WHERE n.appid = :appid AND n.msgid = CAST(:msgid AS text)
            AND n.status IN ('delivered', 'undelivered')
      )
    ORDER BY msgid NULLS LAST, tried_at, id LIMIT 1 FOR UPDATE
)
UPDATE notices SET status = :status, msgid = COALESCE(msgid, CAST(:msgid AS text)),
    result = :result, result_at = :at, holds_consent = false
FROM found WHERE notices.id = found.id
RETURNING found.template_id, found.holds_consent AS held
""")
