"""Who may still be sent subscription notifications: counted by template, and listed.

A person counts while more popups were accepted than notifications delivered, without those that
notices have reserved or that WeChat says are used up. Who accepted popups
before the account was connected, and used some up since, may be missing: that is known only from
the person's events; see `users.remaining_sends`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.events.models import Consent
from app.events.schemas import ConsentOut
from app.notices.models import NoticeConsent
from app.users.remaining_sends import sends_left

MAX_TEMPLATES: Final = 100
# Reading the entries of so many people takes a few milliseconds.
MAX_COUNTED: Final = 10_000
# So many consents are looked at for a page, or a number, however many of them are reserved.
MAX_READ: Final = 50_000


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
    bound = {
        "appids": list(appids),
        "templates": MAX_TEMPLATES,
        "people": MAX_COUNTED,
        "read": MAX_READ,
    }
    found = await session.execute(_BY_TEMPLATE, bound)
    return [TemplateRecipients(*row) for row in found]


@dataclass(frozen=True, slots=True)
class RecipientsPage:
    """A page of people by OpenID. next: the OpenID after which the next page begins, if any.

    It has fewer people than the limit where many consents are reserved.
    """

    items: list[ConsentOut]
    next: str | None


async def recipients(session: AsyncSession, query: RecipientsQuery) -> RecipientsPage:
    """Return a page of people by OpenID. At most MAX_READ consents are read for it."""
    consents = (
        select(Consent.appid, Consent.openid, Consent.template_id, Consent.sends_left)
        .where(
            Consent.appid == query.appid,
            Consent.template_id == query.template_id,
            Consent.sends_left > 0,
            Consent.openid > (query.after or ""),
        )
        .order_by(Consent.openid)
        .limit(MAX_READ)
        .subquery("some_consents")
    )
    taken = aliased(NoticeConsent)
    of_person = (
        (taken.appid == consents.c.appid)
        & (taken.openid == consents.c.openid)
        & (taken.template_id == consents.c.template_id)
    )
    free = consents.c.sends_left > func.coalesce(taken.reserved + taken.written_off, 0)
    statement = (
        select(consents.c.openid)
        .outerjoin(taken, of_person)
        .where(free)
        .order_by(consents.c.openid)
        .limit(query.limit + 1)
    )
    found = (await session.scalars(statement)).all()
    shown = found[: query.limit]
    after = shown[-1] if len(found) > len(shown) else await _end_of_read(session, query)
    rows = (
        await session.scalars(
            select(Consent)
            .where(
                Consent.appid == query.appid,
                Consent.template_id == query.template_id,
                Consent.openid.in_(shown),
            )
            .order_by(Consent.openid)
        )
    ).all()
    left = await sends_left(session, rows)
    return RecipientsPage([ConsentOut.of(row, left) for row in rows], after)


async def _end_of_read(session: AsyncSession, query: RecipientsQuery) -> str | None:
    """Return the last OpenID that was read; None if there are no further consents."""
    bound = {
        "appid": query.appid,
        "template_id": query.template_id,
        "after": query.after or "",
        "read": MAX_READ,
    }
    after: str | None = await session.scalar(_END_OF_READ, bound)
    return after


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
        SELECT FROM (
            SELECT appid, openid, template_id, sends_left FROM consents c
            WHERE c.sends_left > 0 AND c.appid = template.appid
              AND c.template_id = template.template_id
            LIMIT :read
        ) c LEFT JOIN notice_consents n
          ON n.appid = c.appid AND n.openid = c.openid AND n.template_id = c.template_id
        WHERE c.sends_left > COALESCE(n.reserved + n.written_off, 0)
        LIMIT :people
    ) person
) FROM template ORDER BY appid, template_id
""")

_END_OF_READ: Final = text("""
SELECT openid FROM consents
WHERE appid = :appid AND template_id = :template_id AND sends_left > 0 AND openid > :after
ORDER BY openid OFFSET :read - 1 LIMIT 1
""")
