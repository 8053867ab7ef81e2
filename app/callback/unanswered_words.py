"""Reads the words that followers send and that no rule answers, the most frequent first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.first_id import first_id

# So many of the newest messages are looked at; more would take longer than a page may.
MAX_SEARCHED: Final = 30_000
MAX_WORDS: Final = 100
# What is longer is a sentence, which nobody else sends.
MAX_CHARACTERS: Final = 50


@dataclass(frozen=True, slots=True)
class UnansweredWord:
    """A text that was sent, in lower case. callback_id: of the newest message that is this text.

    fallback: how many of the messages a fallback rule answered. appids: the accounts that got it.
    """

    word: str
    messages: int
    people: int
    fallback: int
    callback_id: UUID
    last_at: datetime
    appids: Sequence[str]


async def unanswered_words(
    session: AsyncSession, *, appid: str | None, since: datetime | None
) -> Sequence[UnansweredWord]:
    """Return up to MAX_WORDS texts that no rule but a fallback answered.

    They are counted over the newest MAX_SEARCHED messages, and only since `since`.
    """
    bound = {
        "searched": MAX_SEARCHED,
        "appid": appid,
        "since": since,
        "lower": UUID(int=0) if since is None else first_id(since),
        "characters": MAX_CHARACTERS,
        "limit": MAX_WORDS,
    }
    return [UnansweredWord(*row) for row in await session.execute(_WORDS, bound)]


_WORDS = text(
    """
    WITH fallback AS MATERIALIZED (
        SELECT id FROM rules WHERE trigger->>'on' = 'fallback'
    ), newest AS (
        SELECT id, appid, openid, msgtype, rule_id, payload, received_at FROM callbacks
        WHERE id >= :lower ORDER BY id DESC LIMIT :searched
    ), sent AS (
        SELECT id, appid, openid, received_at, rule_id,
               lower(btrim(payload->>'Content', E' \\t\\r\\n')) AS word
        FROM newest
        WHERE msgtype = 'text' AND payload <> '{}'
          AND (CAST(:appid AS text) IS NULL OR appid = :appid)
          AND (CAST(:since AS timestamptz) IS NULL OR received_at >= :since)
          AND (rule_id IS NULL OR rule_id IN (SELECT id FROM fallback))
    )
    SELECT word, count(*), count(DISTINCT (appid, openid)), count(rule_id),
           CAST(max(CAST(id AS text)) AS uuid), max(received_at), array_agg(DISTINCT appid)
    FROM sent WHERE word <> '' AND length(word) <= :characters
    GROUP BY word ORDER BY count(*) DESC, word LIMIT :limit
    """
)
