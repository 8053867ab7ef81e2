"""Computes how many subscription notifications a person's accepted popups still allow.

A delivery may belong to a popup from before the account was connected; such a delivery uses up no
later popup. Events arrive in any order, so the number is computed when it is read and not stored.
Consents that notices have reserved, or that WeChat says are used up, are not left.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import case, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.events.models import Consent, ConsentState, SubscriptionAction, SubscriptionEvent
from app.notices import ledger
from app.users.store import each_of

# Only so many latest events of each OpenID are read. For older ones it is assumed that every
# delivery belongs to a known popup.
MAX_EVENTS = 1000

Key = tuple[str, str, str]


async def sends_left(session: AsyncSession, consents: Sequence[Consent]) -> Mapping[Key, int]:
    """Return the remaining sends by (appid, openid, template_id); 0 unless the state is accept."""
    accepted_consents = [one for one in consents if one.state is ConsentState.ACCEPT]
    latest = await _by_latest_events(
        session, sorted({(one.appid, one.openid) for one in accepted_consents})
    )
    taken = await ledger.taken(session, [_key(one) for one in accepted_consents])
    left = dict.fromkeys((_key(one) for one in consents), 0)
    return left | {
        _key(one): max(
            max(one.sends_left, latest.get(_key(one), 0)) - taken.get(_key(one), 0),
            0,
        )
        for one in accepted_consents
    }


def _key(consent: Consent) -> Key:
    return (consent.appid, consent.openid, consent.template_id)


async def _by_latest_events(
    session: AsyncSession, people: Sequence[tuple[str, str]]
) -> Mapping[Key, int]:
    """Return the remaining sends by the latest events."""
    # The largest sum of changes over any period until now equals a counter that never goes below 0.
    key = each_of(people)
    event = SubscriptionEvent
    latest = (
        select(event)
        .where(event.appid == key.c.appid, event.openid == key.c.openid)
        .order_by(event.occurred_at.desc(), event.position.desc())
        .limit(MAX_EVENTS)
    )
    one = aliased(event, latest.lateral("one"))
    of = (one.appid, one.openid, one.template_id)
    accepted = (one.action == SubscriptionAction.POPUP) & (one.status == ConsentState.ACCEPT)
    delivered = (one.action == SubscriptionAction.SENT) & (one.error_code == "0")
    change = func.sum(case((accepted, 1), (delivered, -1), else_=0))
    until_now = change.over(partition_by=of, order_by=(one.occurred_at.desc(), one.id.desc()))
    sums = select(*of, until_now.label("sum")).select_from(key.join(one, true())).subquery()
    best = select(sums.c.appid, sums.c.openid, sums.c.template_id, func.max(sums.c.sum))
    found = await session.execute(best.group_by(*sums.c[:3]))
    return {(appid, openid, template): count for appid, openid, template, count in found}
