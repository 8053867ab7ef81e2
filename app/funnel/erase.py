"""Erases a person from touches and cohorts, and keeps the figures.

By which QR code a person came, which button they tapped and which campaigns that belonged to goes
to touches of an anonymous person, who is another one for each erasure, with the time rounded down
to a quarter of an hour. Rules, notices and the account stay with the person, as callbacks do, or
with the pseudonym. By which rule or notice of a campaign a person came goes to touches of another
anonymous person, so that nothing tells rule and QR code of the same person. A campaign that is
changed afterwards counts what erased people did as before.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.funnel import campaign_sql, cohorts_sql, touches_sql
from app.funnel.count import DELETE_EMPTY, count_members
from app.funnel.progress import lock, sums_of
from app.funnel.recount_campaigns import note_changes
from app.funnel.sums_sql import store
from app.tombstones.subject import ErasureSubject


async def count_before_erasure(session: AsyncSession, person: ErasureSubject) -> None:
    """Count the touches of a person while it can still be seen by which doors they came.

    To be called before anything is cleared, and again by `erase`.
    """
    progress = await lock(session)
    await note_changes(session)
    bound = {
        "appid": person.appid,
        "openid": person.openid,
        "pseudonym": person.pseudonym,
        **sums_of(progress).parameters,
    }
    await session.execute(touches_sql.PUSHES_OF_PERSON, bound)
    await session.execute(touches_sql.SENT_OF_PERSON, bound)
    await session.execute(touches_sql.NOTICES_OF_PERSON, bound)
    after = {"after": progress.arrival_position}
    await session.execute(touches_sql.REPORTS_OF_PERSON, {**bound, **after})
    await session.execute(_RECOUNT_OF_PERSON, bound)


async def erase(session: AsyncSession, person: ErasureSubject, *, of_identity: bool) -> None:
    """Take the doors of a person away, and the ids too, if they are erased.

    To be called before `events.erase_contents`, in its transaction.
    """
    await count_before_erasure(session, person)
    await count_members(session, [(person.appid, person.openid)])
    progress = await lock(session)
    await session.execute(cohorts_sql.KEEP_SCENES, person.parameters)
    bound = {
        **person.parameters,
        **sums_of(progress).parameters,
        "anonymous": f"anonymous:{uuid4()}",
        "apart": f"anonymous:{uuid4()}",
        "of_identity": of_identity,
    }
    await session.execute(_ERASE, bound)
    await session.execute(_TAKE_CAMPAIGNS, bound)
    for statement in DELETE_EMPTY:
        await session.execute(statement)


async def forget_unionids(
    session: AsyncSession, unionids: Mapping[str, str], until: datetime
) -> None:
    """Replace UnionIDs by their pseudonyms in launches. unionids: pseudonym by UnionID."""
    progress = await lock(session)
    bound = {
        "unionids": list(unionids),
        "unionid_pseudonyms": list(unionids.values()),
        "until": until,
        **sums_of(progress).parameters,
    }
    await session.execute(_FORGET, bound)
    for statement in DELETE_EMPTY:
        await session.execute(statement)


async def count_after_erasure(session: AsyncSession, person: ErasureSubject) -> None:
    """Make the rows of cohorts again from the history as it is now.

    To be called after the history is erased, in the same transaction.
    """
    people = [(person.appid, person.openid), (person.appid, person.pseudonym)]
    await count_members(session, people)


_RECOUNT_OF_PERSON: Final = text(campaign_sql.RECOUNT_OF_PERSON)
_TAKE_CAMPAIGNS: Final = text(campaign_sql.TAKE_CAMPAIGNS)
_KEPT: Final = "door = '' OR door LIKE 'rule:%' OR door LIKE 'notice:%'"
_APART: Final = "door LIKE 'within:%/rule:%' OR door LIKE 'within:%/notice:%'"
_ERASE: Final = text(
    store(f"""
        WITH one AS MATERIALIZED (
            SELECT t.*, ARRAY(SELECT door FROM unnest(t.doors) AS door WHERE {_KEPT}) AS kept,
                   ARRAY(SELECT door FROM unnest(t.doors) AS door WHERE {_APART}) AS apart,
                   ARRAY(SELECT door FROM unnest(t.doors) AS door
                         WHERE NOT ({_KEPT} OR {_APART})) AS taken
            FROM funnel_touches t
            WHERE t.appid = :appid AND t.person = :openid AND t.source <> 'launch'
              AND t.at <= :until
        )
        SELECT id, source, appid,
               CASE WHEN CAST(:of_identity AS boolean) THEN CAST(:pseudonym AS text)
                    ELSE person END, at, kept,
               matched, followed, sent, opened_after, converted_after, opened_exact,
               converted_exact
        FROM one WHERE CAST(:of_identity AS boolean) OR taken <> '{{}}'
        UNION ALL
        SELECT gen_random_uuid(), source, appid, other.person,
               date_bin('15 minutes', at, TIMESTAMPTZ '2000-01-01 00:00+00'), other.doors,
               matched, followed, sent, opened_after, converted_after, opened_exact,
               converted_exact
        FROM one CROSS JOIN LATERAL (
            VALUES (CAST(:anonymous AS text), taken), (CAST(:apart AS text), apart)
        ) AS other(person, doors)
        WHERE other.doors <> '{{}}'
        UNION ALL
        SELECT t.id, t.source, t.appid, CASE WHEN t.person = :openid THEN :pseudonym
                   ELSE (SELECT u.pseudonym FROM unnest(
                       CAST(:unionids AS text[]), CAST(:unionid_pseudonyms AS text[])
                   ) AS u(unionid, pseudonym) WHERE u.unionid = t.person) END,
               t.at, t.doors, t.matched, t.followed, t.sent, t.opened_after, t.converted_after,
               t.opened_exact, t.converted_exact
        FROM funnel_touches t
        WHERE CAST(:of_identity AS boolean) AND t.source = 'launch' AND t.at <= :until
          AND t.person = ANY(CAST(:unionids AS text[]) || CAST(:openid AS text))
    """)  # noqa: S608 - constants of this module
)
_FORGET: Final = text(
    store("""
        SELECT t.id, t.source, t.appid, u.pseudonym, t.at, t.doors, t.matched, t.followed, t.sent,
               t.opened_after, t.converted_after, t.opened_exact, t.converted_exact
        FROM unnest(CAST(:unionids AS text[]), CAST(:unionid_pseudonyms AS text[]))
             AS u(unionid, pseudonym)
        JOIN funnel_touches t ON t.person = u.unionid
        WHERE t.source = 'launch' AND t.at <= :until
    """)
)
