"""Cooldowns: a rule answers a follower only if it wins the right to, in the inbox's transaction.

The rules room decides by what it has read; two pushes at once may read the same. The row of
`rule_firings` tells them apart.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg

from app.callback.record import Claim, Record
from app.replies.new_reply import passive_of

# A copy of a stored callback claims nothing: its first copy has done so.
CLAIM = """
INSERT INTO rule_firings AS f (appid, openid, rule_id, fired_at, expires_at, dedupe_key)
SELECT DISTINCT ON (c.appid, c.openid, c.rule_id)
       c.appid, c.openid, c.rule_id, c.at, c.until, c.dedupe_key
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[],
            $6::bytea[])
     AS c(appid, openid, rule_id, at, until, dedupe_key)
WHERE NOT EXISTS (SELECT FROM callbacks k
                  WHERE k.appid = c.appid AND k.dedupe_key = c.dedupe_key)
ORDER BY c.appid, c.openid, c.rule_id, c.at, c.dedupe_key
ON CONFLICT (appid, openid, rule_id) DO UPDATE SET
    fired_at = EXCLUDED.fired_at, expires_at = EXCLUDED.expires_at,
    dedupe_key = EXCLUDED.dedupe_key
WHERE f.fired_at <= EXCLUDED.fired_at - (EXCLUDED.expires_at - EXCLUDED.fired_at)
RETURNING appid, openid, rule_id, dedupe_key
"""

# Who is beaten answers nothing yet: what it has won is free until it is decided anew.
GIVE_BACK = """
DELETE FROM rule_firings f
USING unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[])
      AS w(appid, openid, rule_id, dedupe_key)
WHERE (f.appid, f.openid, f.rule_id, f.dedupe_key)
    = (w.appid, w.openid, w.rule_id, w.dedupe_key)
"""

_Firing = tuple[str, str, int, bytes]


async def claim(
    connection: asyncpg.Connection, batch: Sequence[Record]
) -> Mapping[UUID, frozenset[int]]:
    """Return the rules whose cooldown is not over, by the record that they can't answer.

    Of two records of one batch the earlier one wins; copies of one push win or lose together.
    Who loses one rule wins none. Runs in the caller's transaction, and asks nothing when no rule
    with a cooldown answers.
    """
    claims = [(record, claim) for record in batch for claim in record.claims]
    if not claims:
        return {}
    rows = await connection.fetch(
        CLAIM,
        [record.appid for record, _ in claims],
        [record.openid for record, _ in claims],
        [claim.rule_id for _, claim in claims],
        [record.received_at for record, _ in claims],
        [record.received_at + _cooldown(claim) for record, claim in claims],
        [record.dedupe_key for record, _ in claims],
    )
    won = {(row["appid"], row["openid"], row["rule_id"], row["dedupe_key"]) for row in rows}
    lost = {record.id: _lost(record, won) for record, _ in claims}
    beaten = {record_id: rule_ids for record_id, rule_ids in lost.items() if rule_ids}
    kept = {_firing(record, claim) for record, claim in claims if record.id not in beaten}
    given_back = won - kept
    if given_back:
        await connection.execute(GIVE_BACK, *map(list, zip(*given_back, strict=True)))
    return beaten


def _firing(record: Record, claim: Claim) -> _Firing:
    return record.appid, record.openid, claim.rule_id, record.dedupe_key


def without_rules(record: Record, rule_ids: Set[int]) -> Record:
    """Return the record without the replies of these rules: it is too late to choose others."""
    drafts = tuple(draft for draft in record.drafts if draft.rule_id not in rule_ids)
    return replace(
        record,
        rule_id=None if record.rule_id in rule_ids else record.rule_id,
        passive=passive_of(drafts),
        drafts=drafts,
        claims=tuple(claim for claim in record.claims if claim.rule_id not in rule_ids),
    )


def _cooldown(claim: Claim) -> timedelta:
    return timedelta(seconds=claim.cooldown_seconds)


def _lost(record: Record, won: Set[_Firing]) -> frozenset[int]:
    return frozenset(claim.rule_id for claim in record.claims if _firing(record, claim) not in won)
