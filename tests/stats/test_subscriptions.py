"""Subscription figures: exact against a slow count, in any time zone, by an index."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.db.engine import Database
from app.stats import subscription_store
from app.stats.compute import subscription_figures
from app.stats.date_range import DateRange
from app.stats.schemas import SubscriptionFigures
from app.stats.subscription_store import FROM_EVENTS
from tests.service import APPID, Service, event

STORE = """
INSERT INTO subscription_events (id, callback_id, appid, openid, action, template_id, status,
                                 error_code, occurred_at)
SELECT id, id, appid, 'o' || right(CAST(id AS text), 8), action, template_id, status, error_code, at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::timestamptz[]) AS t(id, appid, action, template_id, status, error_code, at)
"""
NAMES = {
    ("popup", "accept"): "accepted",
    ("popup", "reject"): "rejected",
    ("popup", "ban"): "banned",
    ("change", "reject"): "withdrawn",
    ("change", "ban"): "withdrawn",
    ("change", "accept"): "restored",
    ("sent", "0"): "delivered",
    ("sent", "43101"): "failed",
}
OTHER_APPID = "wx00000000000000ff"

Told = tuple[str, str, str, str, datetime]

told = st.builds(
    lambda appid, kind, template, minutes: (
        appid,
        *kind,
        template,
        datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=30 * minutes),
    ),
    st.sampled_from((APPID, OTHER_APPID)),
    st.sampled_from(sorted(NAMES)),
    st.sampled_from(("A", "B")),
    st.integers(-150, 150),
)


async def store(connection: asyncpg.Connection, history: list[Told]) -> None:
    await connection.execute("DELETE FROM subscription_events")
    await connection.execute(
        STORE,
        [uuid7() for _ in history],
        [appid for appid, *_ in history],
        [action for _, action, *_ in history],
        [template for *_, template, _ in history],
        [None if action == "sent" else status for _, action, status, *_ in history],
        [status if action == "sent" else None for _, action, status, *_ in history],
        [at for *_, at in history],
    )


def counts(figures: SubscriptionFigures) -> dict[str, int]:
    shown = figures.model_dump(include=set(NAMES.values()))
    return {name: count for name, count in shown.items() if count}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    history=st.lists(told, max_size=40),
    zone=st.sampled_from(("Asia/Shanghai", "Atlantic/Azores", "America/New_York")),
    offset=st.integers(-4, 4),
    length=st.integers(0, 4),
)
async def test_the_figures_are_those_of_counting_one_by_one(
    history: list[Told],
    zone: str,
    offset: int,
    length: int,
    database: Database,
    connection: asyncpg.Connection,
) -> None:
    await store(connection, history)
    since = date(2026, 10, 25) + timedelta(days=offset)
    span = DateRange(since, since + timedelta(days=length), zone)

    async with database.sessions() as session:
        found = subscription_figures(await subscription_store.read(session, [APPID], span), span)

    days: dict[date, Counter[str]] = {day: Counter() for day in span.days}
    templates: dict[str, Counter[str]] = {}
    for appid, action, status, template, at in history:
        day = at.astimezone(ZoneInfo(zone)).date()
        if appid == APPID and day in days:
            days[day][NAMES[action, status]] += 1
            templates.setdefault(template, Counter())[NAMES[action, status]] += 1
    assert {one.day: counts(one) for one in found.days} == days
    assert {one.template_id: counts(one) for one in found.templates} == templates
    for one in found.templates:
        asked = one.accepted + one.rejected + one.banned
        assert one.acceptance_rate == (one.accepted / asked if asked else None)


async def test_only_so_many_templates_are_listed_and_the_rest_is_counted(
    service: Service, connection: asyncpg.Connection
) -> None:
    at = service.clock.now()
    rare = [(APPID, "popup", "accept", f"T{number:04}", at) for number in range(1003)]
    await store(connection, [*rare, (APPID, "popup", "reject", "T1002", at)])

    found = await service.read("stats/subscriptions")

    assert (len(found["templates"]), found["templates_left_out"]) == (1000, 3)
    assert [one["template_id"] for one in found["templates"]][-2:] == ["T0998", "T1002"]
    assert found["days"][-1]["accepted"] == 1003


async def test_a_pushed_popup_is_counted_for_each_of_its_templates(service: Service) -> None:
    popup = {
        "List": [
            {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"},
            {"TemplateId": "B", "SubscribeStatusString": "reject", "PopupScene": "1"},
        ]
    }
    await service.push(
        event(service.clock, "subscribe_msg_popup_event", SubscribeMsgPopupEvent=popup)
    )

    found = await service.read("stats/subscriptions")

    assert len(found["days"]) == 30
    assert (found["days"][-1]["accepted"], found["days"][-1]["rejected"]) == (1, 1)
    assert [(one["template_id"], one["acceptance_rate"]) for one in found["templates"]] == [
        ("A", 1.0),
        ("B", 0.0),
    ]


async def test_the_events_are_found_by_an_index(
    database: Database, connection: asyncpg.Connection
) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    await store(
        connection,
        [
            (APPID, "popup", "accept", "A", begin + timedelta(minutes=10 * number))
            for number in range(40_000)
        ],
    )
    await connection.execute("VACUUM ANALYZE subscription_events")
    span = DateRange(date(2026, 10, 1), date(2026, 10, 7), "Asia/Shanghai")
    async with database.sessions() as session:
        plan = await session.execute(
            text("EXPLAIN " + FROM_EVENTS.text),
            {
                "appids": [APPID],
                "zone": span.time_zone,
                "earliest": span.earliest,
                "latest": span.latest,
                "since": span.since,
                "until": span.until,
                "template_id": None,
                "most": subscription_store.MAX_TEMPLATES,
            },
        )
        assert "ix_subscription_events_time" in "\n".join(plan.scalars())
