"""Who may still be sent subscription notifications: counted by template, and listed.

A person counts while more popups were accepted than notifications delivered. Who accepted popups
before the account was connected, and used some up since, may be missing: that is known only from
the person's events; see `users.remaining_sends`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import Consent
from app.events.schemas import ConsentOut
from app.users.remaining_sends import sends_left

MAX_TEMPLATES: Final = 100
# Reading the entries of so many people takes a few milliseconds.
MAX_COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class TemplateRecipients:
    """How many people may be sent notifications of a template.

    people: MAX_COUNTED may mean more.
    """

    appid: str
    template_id: str
    people: int


@dataclass(frozen=True, slots=True)
class RecipientsQuery:
    """Which people to list. after: the OpenID where the page before ended. limit: at most so many.

    template_id: as `consents` has it.
    """

    appid: str
    template_id: str
    after: str | None
    limit: int


async def by_template(session: AsyncSession, appids: Sequence[str]) -> list[TemplateRecipients]:
    """Return the templates that somebody may be sent, at most MAX_TEMPLATES."""
    bound = {"appids": list(appids), "templates": MAX_TEMPLATES, "people": MAX_COUNTED}
    found = await session.execute(_BY_TEMPLATE, bound)
    return [TemplateRecipients(*row) for row in found]


async def recipients(session: AsyncSession, query: RecipientsQuery) -> list[ConsentOut]:
    """Return a page of people by OpenID."""
    statement = (
        select(Consent)
        .where(
            Consent.appid == query.appid,
            Consent.template_id == query.template_id,
            Consent.sends_left > 0,
        )
        .order_by(Consent.openid)
        .limit(query.limit)
    )
    if query.after is not None:
        statement = statement.where(Consent.openid > query.after)
    rows = (await session.scalars(statement)).all()
    left = await sends_left(session, rows)
    return [ConsentOut.of(row, left) for row in rows]


# One index probe for each template, then the entries of its people alone.
_BY_TEMPLATE: Final = text("""
WITH RECURSIVE key AS (
    (SELECT appid, template_id FROM consents
     WHERE sends_left > 0 ORDER BY appid, template_id LIMIT 1)
    UNION ALL
    SELECT following.appid, following.template_id FROM key CROSS JOIN LATERAL (
        SELECT appid, template_id FROM consents
        WHERE sends_left > 0 AND (appid, template_id) > (key.appid, key.template_id)
        ORDER BY appid, template_id LIMIT 1
    ) following
), template AS (
    SELECT appid, template_id FROM key
    WHERE appid = ANY(CAST(:appids AS text[])) LIMIT :templates
)
SELECT appid, template_id, (
    SELECT count(*) FROM (
        SELECT FROM consents c
        WHERE c.sends_left > 0 AND c.appid = template.appid
          AND c.template_id = template.template_id
        LIMIT :people
    ) person
) FROM template ORDER BY appid, template_id
""")
