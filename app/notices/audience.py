"""SQL of audiences: counts who may get a notice, and queues one for each of them.

An audience is queued in chunks, each in a transaction of its own that also notes up to which OpenID
it is queued. A worker that dies loses a chunk that was not committed, and the next run repeats it:
nobody is queued twice or left out. A chunk reads a bounded number of rows, however few match.

Whoever may get a notice is read from indexes in the order of OpenIDs, without the rows of the
tables: `ix_consents_sends` and `ix_followers_following`. What narrows them is read in the same
order from where the chunk begins, and merged: a chunk ends as soon as it has enough people.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.codes.holders import has_code
from app.notices.audience_schemas import AudienceFilter
from app.notices.models import NoticeKind, NoticeSend

CHUNK: Final = 10_000
# A chunk of which few match ends after so many that may get a notice.
MAX_READ: Final = 100_000


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a template goes to. is_one_time: whether each notice uses up a consent."""

    appid: str
    template_id: str
    kind: NoticeKind
    is_one_time: bool
    filter: AudienceFilter

    @classmethod
    def of(cls, send: NoticeSend) -> "Audience":
        """Return the audience of a send."""
        return cls(
            send.appid,
            send.template_id,
            send.kind,
            send.is_one_time,
            AudienceFilter.model_validate(send.audience or {}),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the parameters of its conditions."""
        return {
            "appid": self.appid,
            "template_id": self.template_id,
            "scene": self.filter.scene,
            "seen_since": self.filter.seen_since,
            "seen_before": self.filter.seen_before,
            "unionids": self.filter.unionids,
        }

    @property
    def must_follow(self) -> bool | None:
        """Whether the people have to follow: a template message reaches followers alone."""
        return True if self.kind is NoticeKind.TEMPLATE else self.filter.following


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one step has queued. cursor: the OpenID up to which the audience is queued now.

    is_last: nobody is left.
    """

    queued: int
    cursor: str | None
    is_last: bool


async def count(session: AsyncSession, audience: Audience) -> int:
    """Return how many people may get the notice now and match the filter."""
    await session.execute(_FOR_COUNTING)
    if audience.filter.scene is None and audience.filter.unionids is None:
        await session.execute(_WITHOUT_LOOKUPS)
    source, joined = _source(audience), _joins(audience)
    statement = f"SELECT count(*) FROM {source} base {joined}"  # noqa: S608 - parts of this module
    return int((await session.execute(text(statement), _used(statement, audience))).scalar_one())


async def count_without_code(session: AsyncSession, audience: Audience, campaign_id: UUID) -> int:
    """Return how many of these people have no code of a campaign."""
    await session.execute(_FOR_COUNTING)
    joined = _joins(audience)
    condition = "AND" if " WHERE " in joined else "WHERE"
    statement = (
        f"SELECT count(*) FROM {_source(audience)} base "  # noqa: S608 - parts of this module
        f"JOIN openids p ON p.appid = :appid AND p.openid = base.openid {joined} "
        f"{condition} NOT {has_code('p')}"
    )
    bound = {**_used(statement, audience), "campaign_id": campaign_id}
    return int((await session.execute(text(statement), bound)).scalar_one())


async def queue_chunk(session: AsyncSession, send: NoticeSend, now: datetime) -> Chunk:
    """Queue notices for the next people of a locked send; see `queue_lock`."""
    audience = Audience.of(send)
    await session.execute(_FOR_CHUNKS)
    source, joined = _source(audience), _joins(audience, _AFTER)
    statement = _CHUNK.format(source=source, joins=joined)
    limit = min(CHUNK, max(send.max_total - send.total, 0))
    row = (
        await session.execute(
            text(statement),
            {
                **_used(statement, audience),
                "after": send.cursor or "",
                "limit": limit,
                "most": MAX_READ,
                "prefix": str(uuid7())[:15],
                "send_id": send.id,
                "appid": send.appid,
                "template_id": send.template_id,
                "kind": send.kind.value,
                "now": now,
            },
        )
    ).one()
    if row.queued == limit:
        is_full = send.total + row.queued >= send.max_total
        return Chunk(row.queued, row.latest or send.cursor, is_full)
    return Chunk(row.queued, row.read_to or send.cursor, row.read_to is None)


def _source(audience: Audience) -> str:
    """Return the rows to begin with, which an index has in the order of OpenIDs."""
    if audience.filter.unionids is not None:
        return _BY_UNIONID
    if audience.kind is NoticeKind.TEMPLATE:
        return _FOLLOWERS
    return _SENDABLE if audience.is_one_time else _ACCEPTED


def _joins(audience: Audience, within: str = "") -> str:
    """Return the joins and conditions that narrow the rows.

    within: a condition for each joined table, with its name in braces.
    """
    wanted, joins, conditions = audience.filter, list[str](), list[str]()
    if audience.kind is NoticeKind.SUBSCRIPTION:
        if wanted.unionids is not None:
            state = "sends_left > 0" if audience.is_one_time else "state = 'accept'"
            joins.append(_CONSENT.format(state=state) + within.format("c"))
        if audience.is_one_time:
            joins.append(_RESERVED + within.format("r"))
            left = "c" if wanted.unionids is not None else "base"
            conditions.append(f"{left}.sends_left > COALESCE(r.reserved + r.written_off, 0)")
    of_followers = _source(audience) is _FOLLOWERS and wanted.scene is None
    if not of_followers and (audience.must_follow is not None or wanted.scene is not None):
        joins.append(_FOLLOWER + within.format("f"))
        if audience.must_follow is not None:
            conditions.append("f.following" if audience.must_follow else "NOT f.following")
        if wanted.scene is not None:
            conditions.append("f.scene = :scene")
    if wanted.seen_since is not None or wanted.seen_before is not None:
        joins.append(_PERSON + within.format("o"))
        if wanted.seen_since is not None:
            conditions.append("o.last_seen_at >= :seen_since")
        if wanted.seen_before is not None:
            conditions.append("o.last_seen_at < :seen_before")
    return " ".join(joins) + (" WHERE " + " AND ".join(conditions) if conditions else "")


def _used(statement: str, audience: Audience) -> dict[str, Any]:
    """Return the parameters that a statement names."""
    return {name: value for name, value in audience.parameters.items() if f":{name}" in statement}


# One consent has one row, so a row is a person.
_SENDABLE: Final = """(
    SELECT openid, sends_left FROM consents
    WHERE appid = :appid AND template_id = :template_id AND sends_left > 0
)"""
_ACCEPTED: Final = """(
    SELECT openid FROM consents
    WHERE appid = :appid AND template_id = :template_id AND state = 'accept'
)"""
# Erased followers are counted further under a pseudonym, which is nobody to send to.
_FOLLOWERS: Final = """(
    SELECT openid FROM followers
    WHERE appid = :appid AND following AND NOT starts_with(openid, 'erased:')
)"""
# Whoever has several OpenIDs gets one notice, at the one seen last; see `recipients`.
_BY_UNIONID: Final = """(
    SELECT DISTINCT ON (unionid) openid FROM openids
    WHERE appid = :appid AND unionid = ANY(CAST(:unionids AS text[]))
      AND unionid_source IS DISTINCT FROM 'report'
    ORDER BY unionid, last_seen_at DESC, openid
)"""

_CONSENT: Final = """
JOIN consents c ON c.appid = :appid AND c.openid = base.openid
    AND c.template_id = :template_id AND c.{state}
"""
_RESERVED: Final = """
LEFT JOIN notice_consents r ON r.appid = :appid AND r.openid = base.openid
    AND r.template_id = :template_id
"""
_FOLLOWER: Final = "JOIN followers f ON f.appid = :appid AND f.openid = base.openid"
_PERSON: Final = "JOIN openids o ON o.appid = :appid AND o.openid = base.openid"

# It lets the database begin to read a table where the chunk begins.
_AFTER: Final = " AND {}.openid > :after"

# The id is a UUIDv7, whose time the service gives and whose rest the database draws. Up to where
# the chunk has read is looked up in the same statement, since a later one would see other rows,
# and only if there were too few people.
_CHUNK: Final = """
WITH people AS MATERIALIZED (
    SELECT base.openid FROM (
        SELECT * FROM {source} base WHERE base.openid > :after ORDER BY base.openid LIMIT :most
    ) base {joins} ORDER BY base.openid LIMIT :limit
), added AS (
    INSERT INTO notices (id, send_id, appid, openid, template_id, kind, status, created_at, next_at)
    SELECT CAST(:prefix || substr(CAST(gen_random_uuid() AS text), 16) AS uuid), :send_id, :appid,
           openid, :template_id, :kind, 'pending', :now, :now
    FROM people RETURNING 1
)
SELECT (SELECT count(*) FROM added) AS queued, (SELECT max(openid) FROM people) AS latest,
       CASE WHEN (SELECT count(*) FROM people) < :limit THEN (
           SELECT base.openid FROM {source} base
           WHERE base.openid > :after ORDER BY base.openid OFFSET :most - 1 LIMIT 1
       ) END AS read_to
"""

# Indexes in the order of OpenIDs are merged, which takes a third of what hashing a million rows
# does; the database takes what it reads of an index for dearer than it is. Without the memory,
# joins of a million rows go through temporary files. One process is enough: the others would take
# the processors that callbacks need.
_FOR_COUNTING: Final = text(
    "SELECT set_config('jit', 'off', true), set_config('work_mem', '128MB', true), "
    "set_config('random_page_cost', '1.1', true), "
    "set_config('max_parallel_workers_per_gather', '0', true)"
)
# So many people match that to look each up by itself takes longer than to merge, and the database
# may expect fewer of them than there are.
_WITHOUT_LOOKUPS: Final = text("SELECT set_config('enable_nestloop', 'off', true)")
# Tables are merged where most of their rows match, and looked into otherwise: to sort or to hash
# one would read it to its end for each chunk. A look-up compares texts at each level of an index,
# which takes longer than the database expects. A plan that is kept for all chunks would not know
# where one begins.
_FOR_CHUNKS: Final = text(
    "SELECT set_config('jit', 'off', true), set_config('enable_hashjoin', 'off', true), "
    "set_config('enable_sort', 'off', true), set_config('random_page_cost', '1.1', true), "
    "set_config('cpu_operator_cost', '0.01', true), "
    "set_config('plan_cache_mode', 'force_custom_plan', true)"
)
