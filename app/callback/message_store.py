"""SQL of the lists of messages: with the rule that answered, and what became of the replies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.callback.message_filter import EVENT, CountedMessages, Fate, MessageFilter, MessageRow
from app.first_id import first_id
from app.funnel.derive_sql import REACHED
from app.replies.models import ReplyStatus
from app.replies.retry_policy import UNKNOWN
from app.replies.retry_store import MAX_RETRIED, RETRYABLE_FOR

# A filter that no index serves looks at so many messages for one page, and says so.
MAX_SEARCHED: Final = 100_000
# To find a part of a text, the whole content of each message is read.
MAX_TEXTS_SEARCHED: Final = 20_000
# Replies of a fate that only so many have are found by their own index, and then their messages.
MAX_RARE: Final = 2_000
# Ids are drawn by the clock of a process, arrivals are noted by the database's.
CLOCK_SLACK: Final = timedelta(hours=1)
# From CreateTime to the arrival of a push that the funnel counts. WeChat repeats one for a minute.
MAX_LATE: Final = timedelta(days=1)

_FIRST: Final = UUID(int=0)
_BEYOND: Final = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages, the newest first. next: the cursor of the next page; None after the last one.

    searched: set if only so many messages were looked at, so that the page may have fewer rows than
    there are; the next page goes on from there.
    """

    rows: Sequence[MessageRow]
    next: UUID | None
    searched: int | None


@dataclass(frozen=True, slots=True)
class RetryableReply:
    """An unsent reply that can be sent again."""

    id: UUID
    fate: Fate


async def page(
    session: AsyncSession, wanted: MessageFilter, *, before: UUID | None, limit: int
) -> MessagePage:
    """Return messages by id. before: `next` of the page before."""
    upper = before or _BEYOND
    if wanted.until is not None:
        late = CLOCK_SLACK if wanted.counted is None else MAX_LATE
        upper = min(upper, first_id(wanted.until + late))
    lower = _FIRST if wanted.since is None else first_id(wanted.since - CLOCK_SLACK)
    bound: UUID | None = None
    rare = await _rare(session, wanted.fate)
    most = MAX_SEARCHED if wanted.text is None else MAX_TEXTS_SEARCHED
    if wanted.searches and rare is None:
        bound = await session.scalar(_BOUND, {"before": upper, "offset": most - 1})
    values: dict[str, object] = {"upper": upper, "lower": max(lower, bound or _FIRST)}
    conditions = ["c.id < :upper", "c.id >= :lower", *_conditions(wanted, values)]
    if rare is not None:
        values["rare"] = rare
        conditions.append("c.id = ANY(CAST(:rare AS uuid[]))")
    where = " AND ".join(conditions)
    found = await session.execute(
        text(f"{_ROWS} WHERE {where} ORDER BY c.id DESC LIMIT :limit"),
        values | {"limit": limit + 1},
    )
    rows = [row_of(one) for one in found]
    shown = rows[:limit]
    if len(rows) > limit:
        return MessagePage(shown, shown[-1].id, None)
    cut_short = bound is not None and bound > lower
    return MessagePage(shown, bound if cut_short else None, most if cut_short else None)


async def _rare(session: AsyncSession, fate: Fate | None) -> Sequence[UUID] | None:
    """Return the messages with a reply that has a fate; None if they may be more than MAX_RARE.

    Nearly every reply is sent in the end, so that the index of the others is small.
    """
    if fate is None or fate is Fate.SENT or fate in _FATES:
        return None
    found = await session.scalars(_OF_STATUS, {"status": _status_of(fate), "limit": MAX_RARE + 1})
    messages = found.all()
    return messages if len(messages) <= MAX_RARE else None


async def newest_id(session: AsyncSession) -> UUID | None:
    """Return the id of the newest message."""
    found: UUID | None = await session.scalar(_NEWEST)
    return found


async def since(session: AsyncSession, lower: UUID, limit: int) -> Sequence[MessageRow]:
    """Return up to `limit` messages with ids from `lower` on, the newest first."""
    found = await session.execute(_SINCE, {"lower": lower, "limit": limit})
    return [row_of(one) for one in found]


async def of_id(session: AsyncSession, callback_id: UUID) -> MessageRow | None:
    """Return one message."""
    found = (await session.execute(_ONE, {"id": callback_id})).first()
    return None if found is None else row_of(found)


async def retryable(
    session: AsyncSession, wanted: MessageFilter, now: datetime
) -> Sequence[RetryableReply]:
    """Return up to MAX_RETRIED + 1 replies to these messages that can be sent again, oldest first.

    A reply that may have arrived is returned only if `wanted` asks for the fate uncertain.
    """
    values: dict[str, object] = {"now": now, "lower": first_id(now - RETRYABLE_FOR)}
    messages = replace(wanted, rule_id=None, fate=None)
    where = [*_conditions(messages, values), *_reply_conditions(wanted, values)]
    found = await session.execute(
        text(" AND ".join([_RETRYABLE, *where]) + " ORDER BY r.id LIMIT :limit"),
        values | {"limit": MAX_RETRIED + 1},
    )
    return [RetryableReply(id_, Fate(fate)) for id_, fate in found]


def row_of(row: Row[Any]) -> MessageRow:
    """Return a row of `_ROWS`."""
    passive = (Fate.PASSIVE,) if row.passive else ()
    return MessageRow(
        id=row.id,
        appid=row.appid,
        openid=row.openid,
        msgtype=row.msgtype,
        event=row.event,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        rule_id=row.rule_id,
        rule_name=row.rule_name,
        text=row.summary,
        erased=row.erased,
        fates=(*passive, *(Fate(status) for status in row.statuses)),
    )


def _conditions(wanted: MessageFilter, values: dict[str, object]) -> Iterator[str]:
    """Yield the conditions on a message, and add what they are compared with to `values`."""
    columns: dict[str, tuple[str, object]] = {
        "appid": ("c.appid = :appid", wanted.appid),
        "kind": ("COALESCE(c.event, c.msgtype) = :kind", wanted.kind),
        "part": (f"{_TEXT} ILIKE :part", wanted.text and f"%{_escaped(wanted.text)}%"),
        "rule_id": ("c.rule_id = :rule_id", wanted.rule_id),
    }
    moment = "c.received_at" if wanted.counted is None else "t.at"
    span: dict[str, tuple[str, object]] = {
        "since": (f"{moment} >= :since", wanted.since),
        "until": (f"{moment} < :until", wanted.until),
    }
    if wanted.counted is None:
        yield from _bound(columns | span, values)
    else:
        yield from _bound(columns, values)
        yield _counted(wanted.counted, list(_bound(span, values)), values)
    if wanted.fate is not None:
        yield _FATES.get(wanted.fate) or _has_reply(wanted.fate)


def _bound(
    conditions: Mapping[str, tuple[str, object]], values: dict[str, object]
) -> Iterator[str]:
    """Yield those conditions that have a value, by the names of their parameters."""
    for name, (condition, value) in conditions.items():
        if value is not None:
            values[name] = value
            yield condition


def _counted(counted: CountedMessages, within: Sequence[str], values: dict[str, object]) -> str:
    """Return the condition that the funnel counts a message. within: further ones, of its touch."""
    values |= {"touch_door": counted.door, **counted.basis.parameters}
    conditions = " AND ".join([f"r.{counted.step}", *within])
    return f"""EXISTS (
        SELECT FROM funnel_touches t CROSS JOIN LATERAL ({REACHED}) AS r
        WHERE t.id = c.id AND t.source = 'push' AND :touch_door = ANY(t.doors) AND {conditions}
    )"""


def _reply_conditions(wanted: MessageFilter, values: dict[str, object]) -> Iterator[str]:
    if wanted.rule_id is not None:
        values["rule_id"] = wanted.rule_id
        yield "r.rule_id = :rule_id"
    if wanted.fate is None:
        yield f"{_FATE} <> '{Fate.UNCERTAIN}'"
    else:
        yield f"{_FATE} = '{wanted.fate}'"


def _has_reply(fate: Fate) -> str:
    status = _status_of(fate)
    return f"""EXISTS (
        SELECT FROM replies r WHERE r.callback_id = c.id AND r.via = 'customer_service'
          AND r.status = '{status}' AND {_FATE} = '{fate}'
    )"""


def _status_of(fate: Fate) -> ReplyStatus:
    return ReplyStatus.FAILED if fate is Fate.UNCERTAIN else ReplyStatus(fate)


def _escaped(part: str) -> str:
    """Return a text in which LIKE finds no wildcards."""
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_TEXT: Final = """COALESCE(c.payload->>'Content', c.payload->>'Recognition', c.payload->>'Label',
    c.payload->>'Title', c.payload->>'EventKey')"""

_FATE: Final = f"""CASE WHEN r.status = 'failed' AND r.errmsg LIKE '{UNKNOWN}%'
    THEN 'uncertain' ELSE r.status END"""

_FATES: Final = {
    Fate.UNANSWERED: f"c.rule_id IS NULL AND c.msgtype <> '{EVENT}'",
    Fate.PASSIVE: "c.passive IS NOT NULL",
}

_ROWS: Final = f"""
SELECT c.id, c.appid, c.openid, c.msgtype, c.event, c.occurred_at, c.received_at,
       c.rule_id, rules.name AS rule_name, {_TEXT} AS summary, c.payload = '{{}}' AS erased,
       c.passive IS NOT NULL AS passive, ARRAY(
           SELECT {_FATE} FROM replies r
           WHERE r.callback_id = c.id AND r.via = 'customer_service' ORDER BY r.position
       ) AS statuses
FROM callbacks c LEFT JOIN rules ON rules.id = c.rule_id
"""  # noqa: S608 - constants of this module

_BOUND = text("SELECT id FROM callbacks WHERE id < :before ORDER BY id DESC OFFSET :offset LIMIT 1")
_OF_STATUS = text(
    "SELECT callback_id FROM replies WHERE status = :status AND status <> 'sent' LIMIT :limit"
)
_NEWEST = text("SELECT id FROM callbacks ORDER BY id DESC LIMIT 1")
_SINCE = text(f"{_ROWS} WHERE c.id >= :lower ORDER BY c.id DESC LIMIT :limit")
_ONE = text(f"{_ROWS} WHERE c.id = :id")
_RETRYABLE = f"""
SELECT r.id, {_FATE} FROM replies r JOIN callbacks c ON c.id = r.callback_id
WHERE r.via = 'customer_service' AND r.status IN ('failed', 'held', 'skipped')
  AND r.id >= :lower AND r.expires_at > :now AND r.content <> '{{}}'
"""  # noqa: S608 - constants of this module
