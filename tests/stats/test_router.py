"""What is asked badly is refused by name, with the way to correct it."""

from datetime import timedelta

import pytest

from tests.service import Service, event

PATHS = ("stats/followers", "stats/subscriptions")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("query", "field", "fix"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone", "IANA name such as Asia/Shanghai"),
        ({"time_zone": "CST6CDT5"}, "time_zone", "IANA name"),
        ({"time_zone": ""}, "time_zone", "is empty"),
        ({"from": "2026-11-02", "until": "2026-11-01"}, "from", "choose an earlier day"),
        ({"from": "2025-01-01", "until": "2026-06-01"}, "from", "request several parts"),
        ({"from": "yesterday"}, "from", "write it like 2026-11-24"),
        ({"until": "1999-01-01"}, "until", "must be 2011-01-01 or more"),
        ({"appid": ""}, "appid", "at least 1 character"),
        ({"timezone": "Asia/Shanghai"}, "timezone", "check its spelling"),
    ],
)
async def test_a_bad_question_is_refused_with_its_field_and_the_fix(
    service: Service, path: str, query: dict[str, str], field: str, fix: str
) -> None:
    answer = await service.api("GET", path, params=query)

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["query", field]
    assert fix in problem["msg"]


@pytest.mark.parametrize("path", PATHS)
async def test_the_figures_want_an_admin_token(service: Service, path: str) -> None:
    assert (await service.http.get(f"/api/{path}")).status_code == 401


async def test_without_a_span_it_is_the_thirty_days_up_to_today_in_shanghai(
    service: Service,
) -> None:
    await service.push(event(service.clock, "subscribe"))

    found = await service.read("stats/followers")

    today = (service.clock.now() + timedelta(hours=8)).date()
    assert found["until"] == today.isoformat()
    assert found["from"] == (today - timedelta(days=29)).isoformat()
    assert found["days"][-1]["new"] == found["total"]["new"] == 1


async def test_one_account_can_be_asked_for_alone(service: Service) -> None:
    await service.push(event(service.clock, "subscribe"))

    found = await service.read("stats/followers", appid="wx00000000000000ff")

    assert found["total"]["new"] == 0
