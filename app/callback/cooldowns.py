"""Cooldowns: which of several pushes at once may have the answer of a rule.

The rules decide by facts that they read before the transaction, and two pushes at once may read
the same. Inside the inbox's transaction the row of `rule_firings` lets only one of them answer.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg

from app.callback.record import Claim, Record
from app.replies.new_reply import passive_of

# A copy of a stored callback claims nothing: its first copy has done so.
_CLAIM = """
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

# A push that lost one rule is decided again: what it won meanwhile must be free for others.
_RETURN = """
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
    """Claim the turns of all rules with a cooldown; return the lost rules by record.

    Of two records of one batch the earlier one wins; copies of one push win or lose together. A
    record that loses one rule keeps none. Runs in the caller's transaction, and sends no statement
    when no rule with a cooldown answers.
    """
    claims = [(record, claim) for record in batch for claim in record.claims]
    if not claims:
        return {}
    rows = await connection.fetch(
        _CLAIM,
        [record.appid for record, _ in claims],
        [record.openid for record, _ in claims],
        [claim.rule_id for _, claim in claims],
        [record.received_at for record, _ in claims],
        [record.received_at + _cooldown(claim) for record, claim in claims],
        [record.dedupe_key for record, _ in claims],
    )
    won = {(row["appid"], row["openid"], row["rule_id"], row["dedupe_key"]) for row in rows}
    lost = {record.id: _lost(record, won) for record, _ in claims}
    losers = {record_id: rule_ids for record_id, rule_ids in lost.items() if rule_ids}
    kept = {_firing(record, claim) for record, claim in claims if record.id not in losers}
    returned = won - kept
    if returned:
        await connection.execute(_RETURN, *map(list, zip(*returned, strict=True)))
    return losers


def _firing(record: Record, claim: Claim) -> _Firing:
    return record.appid, record.openid, claim.rule_id, record.dedupe_key


def without_rules(record: Record, rule_ids: Set[int]) -> Record:
    """Return the record without the replies of these rules, for when it can't be decided again."""
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
