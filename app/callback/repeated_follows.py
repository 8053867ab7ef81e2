"""Tells a second follow or unfollow of one second from the retry of the first.

WeChat dates events to the second and gives these no id, so both have the same body and the same
dedupe key. But WeChat repeats a push only after it has waited 5 s for the response. An equal push
that arrives sooner, with the opposite event in between, is another one and gets a key of its own.
Source: protocol 3.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg

from app.callback.record import Record
from app.events.models import FollowAction
from app.rules.matching.reply_id import reply_id
from app.wechat.inbound.dedupe import DIGEST_BYTES, digest_of

RETRY_AFTER: Final = timedelta(seconds=4)

_OPPOSITES: Final = {
    FollowAction.FOLLOW: FollowAction.UNFOLLOW,
    FollowAction.UNFOLLOW: FollowAction.FOLLOW,
}


def may_be_another(record: Record) -> bool:
    """Return whether a push with a known dedupe key need not be a copy."""
    return record.follow is not None and record.follow.action in _OPPOSITES


def is_another(record: Record, first: Record, between: Iterable[Record]) -> bool:
    """Return whether a push is not a copy of `first`, which has the same dedupe key.

    between: pushes that may be the opposite event.
    """
    if record.follow is None or abs(record.received_at - first.received_at) >= RETRY_AFTER:
        return False
    opposite = _OPPOSITES.get(record.follow.action)
    return any(
        one.follow is not None
        and one.follow.action is opposite
        and (one.appid, one.openid) == (record.appid, record.openid)
        and one.occurred_at == record.occurred_at
        and first.id < one.id < record.id  # UUIDv7: the order of arrival
        for one in between
    )


def with_next_key(record: Record) -> Record:
    """Return the record under the key of the next equal push, with the ids of its replies."""
    time = record.dedupe_key[:-DIGEST_BYTES]
    again = b"again" + digest_of(record.dedupe_key)
    key = time + hashlib.sha256(again).digest()[:DIGEST_BYTES]
    second = int(record.occurred_at.timestamp())
    drafts = tuple(
        replace(draft, id=reply_id(key, second, draft.position)) for draft in record.drafts
    )
    return replace(record, dedupe_key=key, drafts=drafts)


async def others(
    connection: asyncpg.Connection, records: Sequence[Record]
) -> Mapping[UUID, Record]:
    """Return by id those of the records that are no copies of the stored one, with the next key."""
    records = [record for record in records if may_be_another(record)]
    if not records:
        return {}
    found = await connection.fetch(
        _OTHERS,
        [record.id for record in records],
        [record.appid for record in records],
        [record.dedupe_key for record in records],
        [_OPPOSITES[record.follow.action] for record in records if record.follow is not None],
        [record.received_at for record in records],
        RETRY_AFTER,
    )
    ids = {row["id"] for row in found}
    return {record.id: with_next_key(record) for record in records if record.id in ids}


_OTHERS: Final = """
SELECT record.id
FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[])
     AS record(id, appid, dedupe_key, opposite, received_at)
JOIN callbacks first USING (appid, dedupe_key)
WHERE record.received_at < first.received_at + $6::interval
  AND record.received_at > first.received_at - $6::interval
  AND EXISTS (
      SELECT FROM follow_events f
      WHERE f.appid = first.appid AND f.openid = first.openid
        AND f.occurred_at = first.occurred_at AND f.action = record.opposite
        AND f.id > first.id AND f.id < record.id
  )
"""
