"""The audit log in the console: filters, pages and the file."""

import csv
import io
import re
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, ActorKind, Subject, SubjectKind
from app.console import audit_labels, audit_page
from tests.console.operator import Operator
from tests.service import Service

HOSTILE = "=cmd|' /C calc'!A0"


async def write(service: Service, *names: str) -> None:
    """Let somebody of each name add a rule."""
    async with service.app.state.database.sessions.begin() as session:
        for number, name in enumerate(names):
            actor = Actor(ActorKind.TOKEN, name, "203.0.113.9")
            subject = Subject(SubjectKind.RULE, str(number))
            now = service.clock.now()
            await audit.record(session, actor, Action.RULE_ADDED, subject, now=now, after=1)


def rows_of(page: str) -> list[str]:
    """Return the names of those who act, in the order of the page."""
    return re.findall(r'<th scope="row"><bdi class="typed ">([^<]*)</bdi>', page)


async def test_a_filter_lives_in_the_address(service: Service, owner: Operator) -> None:
    await write(service, "crm", "shop", "crm")

    page = (await owner.get("/audit", actor="crm", action="rule.added", subject="rule")).text
    none = (await owner.get("/audit", actor="crm", action="rule.deleted")).text
    later = (await owner.get("/audit", since="2999-01-01")).text

    assert rows_of(page) == ["crm", "crm"]
    assert "No entry fits these filters." in none
    assert rows_of(later) == []


async def test_the_days_are_those_of_the_zone_and_both_are_included(
    service: Service, owner: Operator
) -> None:
    await write(service, "crm")
    zone = ZoneInfo(service.settings.console_time_zone)
    day = service.clock.now().astimezone(zone).date().isoformat()

    assert "crm" in rows_of((await owner.get("/audit", since=day, until=day)).text)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/audit?actor=a%00", 200),
        ("/audit?action=%00&subject=%00", 200),
        ("/audit?action=rule.vanished", 422),
        ("/audit/export.csv?subject=rul", 422),
        ("/audit?until=2999-01-01", 200),
        ("/audit?until=9999-12-31", 422),
        ("/audit?since=0001-01-01", 422),
        ("/audit/export.csv?until=9999-12-31", 422),
        ("/rules?q=a%00&match=%00&account=%00", 200),
        ("/followers?appid=%00", 200),
        ("/followers/growth?until=0001-01-01", 422),
        ("/followers/growth?since=0001-01-01&until=9999-12-31", 422),
    ],
)
async def test_no_address_is_too_odd_for_a_page(owner: Operator, path: str, status: int) -> None:
    address, _, query = path.partition("?")

    answer = await owner.get(address, **dict(parse_qsl(query)))

    assert answer.status_code == status


async def test_older_entries_are_a_link_away_and_none_is_missed(
    service: Service, owner: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_page, "PAGE_ROWS", 2)
    names = [f"token {number}" for number in range(5)]
    await write(service, *names)
    seen, path = [], "/console/audit?action=rule.added"
    while path:
        page = (await owner.http.get(path)).text
        seen += rows_of(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""

    assert seen == names[::-1]


async def test_the_file_has_every_entry_and_no_formula(
    service: Service, owner: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MAX_PAGE_ROWS", 2)
    await write(service, HOSTILE, "b", "c")
    answer = await owner.get("/audit/export.csv", action="rule.added")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert answer.text.startswith("\ufeff")
    assert [row["actor_name"] for row in rows] == ["c", "b", f"'{HOSTILE}"]


async def test_htmx_gets_the_list_alone(service: Service, owner: Operator) -> None:
    await write(service, "crm")
    part = (await owner.get_part("/audit", actor="crm")).text

    assert rows_of(part) == ["crm"]
    assert "<form" not in part


@pytest.mark.parametrize(
    "query",
    [
        {"before": "x"},
        {"since": "yesterday"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"before": 0},
    ],
)
async def test_an_address_that_cannot_be_read_is_a_page_that_says_so(
    owner: Operator, query: dict[str, str | int]
) -> None:
    answer = await owner.get("/audit", **query)

    assert answer.status_code == 422
    assert "can&#39;t be read" in answer.text


@pytest.mark.parametrize("name", ["actor", "action", "subject"])
async def test_a_filter_has_no_character_that_the_database_has_not(
    service: Service, owner: Operator, name: str
) -> None:
    await write(service, "crm")

    assert "crm" in rows_of((await owner.get("/audit", **{name: "\0"})).text)
    assert rows_of((await owner.get("/audit", **{name: "none\0"})).text) == []


def test_every_action_kind_and_subject_has_a_name() -> None:
    assert set(Action) == set(audit_labels.ACTIONS)
    assert set(ActorKind) == set(audit_labels.ACTORS)
    assert set(SubjectKind) == set(audit_labels.SUBJECTS)
