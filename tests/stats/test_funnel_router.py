"""The funnel and the retention of followers, through the endpoints."""

import csv
import io
from datetime import timedelta

import asyncpg
import pytest

from app.funnel.count import count
from app.funnel.steps import basis_of
from app.stats import cohort_store, funnel_store
from tests.funnel.world import CODE, Campaign, World, campaign_id, code_id, link_id
from tests.service import APPID, CARD_APPID, OPENID, OTHER_OPENID, Json, Service

LINK = """
INSERT INTO links (id, slug, name, appid, path, query, env_version, revision, created_at,
                   updated_at, renew_at, attempts)
VALUES ($1, 'summer26', 'Summer', $2, 'pages/a', '', 'release', 1, $3, $3, $3, 0)
"""


async def filled(service: Service, connection: asyncpg.Connection) -> World:
    """Let two people write, one of them follow by a code, open the card and convert."""
    await connection.execute(CODE, code_id("a"), "a", APPID)
    world = World(connection)
    now = service.clock.now()
    followed = await world.push(
        OPENID, now - timedelta(days=2), "subscribe", scene="a", rule_id=5, passive=True
    )
    assert followed is not None
    await world.push(OPENID, now - timedelta(days=1), rule_id=5, late=True)
    await world.push(OTHER_OPENID, now - timedelta(days=1), late=True)
    await world.push(OTHER_OPENID, now - timedelta(days=40), late=True)
    await world.report(followed, "launch", 3600)
    await world.report(followed, "conversion", 86_400, exact=False)
    await count(service.app.state.database.sessions, basis_of(service.app.state.settings))
    return world


def numbers(steps: list[Json]) -> dict[str, tuple[int, int]]:
    """Return times and people by step."""
    return {step["step"]: (step["times"], step["people"]) for step in steps}


async def test_the_steps_are_counted_and_compared(
    service: Service, connection: asyncpg.Connection
) -> None:
    await filled(service, connection)
    found = await service.read("stats/funnel")

    assert numbers(found["steps"]) == {
        "received": (3, 2),
        "matched": (2, 1),
        "sent": (1, 1),
        "opened": (1, 1),
        "converted": (1, 1),
    }
    assert found["steps"][1]["people_of_previous"] == 0.5
    assert found["steps"][2]["times_of_previous"] == 0.5
    assert found["steps"][2]["times_of_first"] == pytest.approx(1 / 3)
    assert found["estimated"] == {"opened": 0, "converted": 1}
    assert numbers(found["before"]["steps"])["received"] == (1, 1)
    assert len(found["days"]) == 30
    assert sum(day["steps"][0]["times"] for day in found["days"]) == 3
    assert found["counted_until"] is not None


async def test_doors_have_their_names_and_steps(
    service: Service, connection: asyncpg.Connection
) -> None:
    await filled(service, connection)
    rules = await service.read("stats/funnel", by="rule")
    codes = await service.read("stats/funnel", by="qrcode", time_zone="Europe/Berlin")
    one = await service.read("stats/funnel", by="qrcode", door=str(code_id("a")))

    assert [(door["door"], numbers(door["steps"])["matched"]) for door in rules["doors"]] == [
        ("5", (2, 1))
    ]
    assert [(door["name"], numbers(door["steps"])["followed"]) for door in codes["doors"]] == [
        ("a", (1, 1))
    ]
    assert numbers(one["steps"]) == numbers(codes["steps"]) == numbers(codes["doors"][0]["steps"])
    assert one["doors"] == []


async def test_windows_are_those_of_the_query(
    service: Service, connection: asyncpg.Connection
) -> None:
    world = await filled(service, connection)
    await world.report(world.touches[0], "conversion", 80)
    late = await world.push(OTHER_OPENID, world.touches[0].at, rule_id=5, passive=True, late=True)
    assert late is not None
    await world.report(late, "launch", 2 * 86_400)
    await count(service.app.state.database.sessions, basis_of(service.app.state.settings))
    wide = await service.read("stats/funnel")
    narrow = await service.read("stats/funnel", opened_days=1)

    assert numbers(wide["steps"])["opened"] == (2, 2)
    assert numbers(narrow["steps"])["opened"] == (1, 1)
    assert narrow["opened_days"] == 1


async def test_a_campaign_counts_each_push_and_person_once_within_its_span(
    service: Service, connection: asyncpg.Connection
) -> None:
    """Two doors of one push, people of two doors, and a span that begins in the middle of a day."""
    now = service.clock.now()
    await connection.execute(CODE, code_id("a"), "a", APPID)
    await connection.execute(LINK, link_id(1), CARD_APPID, now)
    world = World(connection)
    starts, ends = now - timedelta(hours=30), now - timedelta(hours=2)
    campaign = Campaign(starts, ends, ("rule:5", f"qrcode:{code_id('a')}", f"link:{link_id(1)}"))
    await world.campaign(1, campaign)
    both = await world.push(
        OPENID, starts, "subscribe", scene="a", rule_id=5, passive=True, late=True
    )
    assert both is not None
    await world.push(OPENID, starts - timedelta(seconds=1), rule_id=5, passive=True, late=True)
    await world.push(OPENID, starts + timedelta(hours=1), rule_id=5, late=True)
    await world.push(OTHER_OPENID, ends - timedelta(seconds=1), rule_id=5, late=True)
    await world.push(OTHER_OPENID, ends, rule_id=5, late=True)
    await world.push(OTHER_OPENID, starts, rule_id=6, late=True)
    await world.report(both, "launch", 3600)
    await world.visit("launch", "u1", starts + timedelta(hours=2), 1)
    await count(service.app.state.database.sessions, basis_of(service.app.state.settings))
    expected = {
        "received": (3, 2),
        "followed": (1, 1),
        "matched": (3, 2),
        "sent": (1, 1),
        "opened": (2, 2),
        "converted": (0, 0),
    }

    listed = await service.read("stats/funnel", by="campaign")
    assert numbers(listed["steps"]) == expected
    (door,) = listed["doors"]
    assert (door["door"], door["name"]) == (str(campaign_id(1)), "c")
    assert numbers(door["steps"]) == expected
    for zone in ("Asia/Shanghai", "America/New_York"):
        query = {"by": "campaign", "door": str(campaign_id(1)), "time_zone": zone}
        one = await service.read("stats/funnel", **query)
        assert numbers(one["steps"]) == expected
        assert one["doors"] == []
    own = await service.read("stats/funnel", by="campaign", appid=APPID)
    assert numbers(own["steps"])["opened"] == (1, 1)
    file = await service.api("GET", "stats/funnel/export?by=campaign&rows=doors")
    (row,) = csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff")))
    assert (row["campaign"], row["name"], row["received_people"]) == (
        str(campaign_id(1)),
        "c",
        "2",
    )

    shorter = Campaign(starts, starts + timedelta(minutes=5), campaign.doors)
    await world.campaign(1, shorter)
    await count(service.app.state.database.sessions, basis_of(service.app.state.settings))
    found = await service.read("stats/funnel", by="campaign")
    assert numbers(found["steps"])["received"] == (1, 1)
    await world.delete_campaign(1)
    await count(service.app.state.database.sessions, basis_of(service.app.state.settings))
    found = await service.read("stats/funnel", by="campaign")
    assert (found["doors"], numbers(found["steps"])["received"]) == ([], (0, 0))
    assert await connection.fetch("SELECT 1 FROM funnel_campaigns") == []


async def test_the_doors_of_a_campaign_count_what_belongs_to_it_alone(
    service: Service, connection: asyncpg.Connection
) -> None:
    """By a code that is no door of it, and by its rule before it began."""
    now = service.clock.now()
    await connection.execute(CODE, code_id("a"), "a", APPID)
    await connection.execute(LINK, link_id(1), CARD_APPID, now)
    world = World(connection)
    starts, ends = now - timedelta(hours=30), now - timedelta(hours=2)
    await world.campaign(1, Campaign(starts, ends, ("rule:5", f"link:{link_id(1)}")))
    await world.push(OPENID, starts, "subscribe", scene="a", rule_id=5, late=True)
    await world.push(OPENID, starts - timedelta(hours=1), rule_id=5, late=True)
    await world.push(OTHER_OPENID, starts, rule_id=5, late=True)
    await world.push(OTHER_OPENID, starts, "SCAN", scene="a", rule_id=6, late=True)
    await world.visit("launch", "u1", starts + timedelta(hours=2), 1)
    await count(service.app.state.database.sessions, basis_of(service.app.state.settings))
    campaign = str(campaign_id(1))

    for zone in ("Asia/Shanghai", "America/New_York"):
        query = {"campaign": campaign, "time_zone": zone}
        rules = await service.read("stats/funnel", by="rule", **query)
        assert rules["campaign"] == campaign
        assert [door["door"] for door in rules["doors"]] == ["5"]
        assert numbers(rules["doors"][0]["steps"])["matched"] == (2, 2)
        codes = await service.read("stats/funnel", by="qrcode", **query)
        assert numbers(codes["steps"])["received"] == (1, 1)
        assert [door["door"] for door in codes["doors"]] == [str(code_id("a"))]
        account = await service.read("stats/funnel", **query)
        assert numbers(account["steps"])["received"] == (2, 2)
        assert numbers(account["steps"])["opened"] == (1, 1)
        links = await service.read("stats/funnel", by="link", door=str(link_id(1)), **query)
        assert numbers(links["steps"])["opened"] == (1, 1)
    everywhere = await service.read("stats/funnel", by="qrcode")
    assert (everywhere["campaign"], numbers(everywhere["steps"])["received"]) == (None, (2, 2))
    file = await service.api("GET", f"stats/funnel/export?by=rule&rows=doors&campaign={campaign}")
    (row,) = csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff")))
    assert (row["rule"], row["matched_people"]) == ("5", "2")


async def test_campaigns_are_not_counted_within_a_campaign(service: Service) -> None:
    query = f"stats/funnel?by=campaign&campaign={campaign_id(1)}"
    for path in (query, query.replace("funnel", "funnel/export")):
        response = await service.api("GET", path)
        assert response.status_code == 422
        assert "name the campaign in door" in response.text


@pytest.mark.parametrize(
    ("columns", "step"),
    [
        ("rule_id = 5", {"matched": 1, "sent": 0}),
        ("passive_id = gen_random_uuid()", {"matched": 1, "sent": 1}),
        ("passive = '{}'", {"matched": 1, "sent": 1}),
        ("passive_rule_id = 5", {"matched": 0, "sent": 0}),
    ],
)
async def test_what_a_push_says_of_its_rule_and_its_passive_reply_is_counted(
    service: Service, connection: asyncpg.Connection, columns: str, step: dict[str, int]
) -> None:
    """Replies of earlier releases have a passive reply without an id."""
    world = World(connection)
    await world.push(OPENID, service.clock.now() - timedelta(days=1), late=True)
    await connection.execute(f"UPDATE callbacks SET {columns}")  # noqa: S608 - of this module
    await count(service.app.state.database.sessions, basis_of(service.app.state.settings))

    found = numbers((await service.read("stats/funnel"))["steps"])
    assert {name: found[name][0] for name in step} == step
    assert found["received"] == (1, 1)


async def test_links_lead_to_mini_programs_that_are_no_accounts(
    service: Service, connection: asyncpg.Connection
) -> None:
    now = service.clock.now()
    assert CARD_APPID not in service.app.state.settings.accounts
    await connection.execute(LINK, link_id(1), CARD_APPID, now)
    world = World(connection)
    for kind, unionid in (("launch", "u1"), ("launch", "u2"), ("conversion", "u1")):
        await world.visit(kind, unionid, now - timedelta(hours=1), 1)
    await count(service.app.state.database.sessions, basis_of(service.app.state.settings))

    expected = {"opened": (2, 2), "converted": (1, 1)}
    queries: tuple[dict[str, str], ...] = ({}, {"appid": CARD_APPID}, {"door": str(link_id(1))})
    for query in queries:
        found = await service.read("stats/funnel", by="link", **query)
        assert numbers(found["steps"]) == expected, query
    found = await service.read("stats/funnel", by="link")
    assert [(door["name"], numbers(door["steps"])) for door in found["doors"]] == [
        ("Summer", expected)
    ]
    other = await service.read("stats/funnel", by="link", appid=APPID)
    assert numbers(other["steps"])["opened"] == (0, 0)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("opened_days=91", 422),
        ("converted_days=0", 422),
        ("by=campaigns", 422),
        ("from=2025-01-01&until=2026-06-01", 422),
        ("from=2025-06-02&until=2026-06-02", 200),
        ("door=nothing&by=rule", 200),
        ("door=5", 422),
        ("door=5&by=account", 422),
    ],
)
async def test_what_cannot_be_counted_is_refused(service: Service, query: str, status: int) -> None:
    response = await service.api("GET", f"stats/funnel?{query}")
    assert response.status_code == status, response.text


async def test_only_so_many_doors_and_cohorts_are_listed(
    service: Service, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(funnel_store, "MAX_DOORS", 1)
    monkeypatch.setattr(cohort_store, "MAX_COHORTS", 1)
    world = await filled(service, connection)
    now = service.clock.now()
    await world.push(OTHER_OPENID, now - timedelta(days=20), "subscribe", rule_id=9, late=True)
    await count(service.app.state.database.sessions, basis_of(service.app.state.settings))

    for zone in ("Asia/Shanghai", "Europe/Berlin"):
        found = await service.read("stats/funnel", by="rule", time_zone=zone)
        assert [door["door"] for door in found["doors"]] == ["5"]
        assert found["doors_left_out"] == 1
    found = await service.read("stats/retention")
    assert (len(found["cohorts"]), found["cohorts_left_out"]) == (1, 1)


async def test_new_followers_are_followed_by_week_and_code(
    service: Service, connection: asyncpg.Connection
) -> None:
    await filled(service, connection)
    by_week = (await service.read("stats/retention"))["cohorts"]
    by_code = (await service.read("stats/retention", by="qr_scene"))["cohorts"]

    assert [one["size"] for one in by_week] == [1]
    assert [(one["cohort"], one["size"]) for one in by_code] == [("a", 1)]
    for first, *later in (by_week[0]["ages"], by_code[0]["ages"]):
        assert first == {"days": 1, "following": 1, "wrote": 0, "arrived": 1, "converted": 0}
        assert [age["days"] for age in later] == [7, 30, 90]
        assert {age["following"] for age in later} == {None}


async def test_files_have_the_same_figures(
    service: Service, connection: asyncpg.Connection
) -> None:
    await filled(service, connection)
    days = await service.api("GET", "stats/funnel/export")
    doors = await service.api("GET", "stats/funnel/export?by=rule&rows=doors")
    cohorts = await service.api("GET", "stats/retention/export")

    rows = list(csv.DictReader(io.StringIO(days.text.lstrip("\ufeff"))))
    assert sum(int(row["received_times"]) for row in rows) == 3
    rows = list(csv.DictReader(io.StringIO(doors.text.lstrip("\ufeff"))))
    assert [(row["rule"], row["matched_people"]) for row in rows] == [("5", "1")]
    rows = list(csv.DictReader(io.StringIO(cohorts.text.lstrip("\ufeff"))))
    assert [(row["days"], row["following"]) for row in rows] == [
        *[("1", "1"), ("7", ""), ("30", ""), ("90", "")]
    ]
