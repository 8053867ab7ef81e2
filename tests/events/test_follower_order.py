"""`/api/followers` in the order of time, while people follow again: nobody comes twice."""

from datetime import timedelta

import asyncpg
import pytest

from tests.service import Json, Service, event

STEP = timedelta(seconds=5)
PEOPLE = [f"oPERSON{number}" for number in range(6)]


async def follow(service: Service, openid: str) -> None:
    await service.push(event(service.clock, "subscribe", openid=openid))
    service.clock.advance(STEP)


async def leave_and_return(service: Service, openid: str) -> None:
    await service.push(event(service.clock, "unsubscribe", openid=openid))
    service.clock.advance(STEP)
    await follow(service, openid)


def names(page: Json) -> list[str]:
    return [one["openid"] for one in page["items"]]


@pytest.mark.parametrize("more", [{}, {"following": "true"}], ids=str)
async def test_a_person_who_follows_again_between_the_pages_is_not_listed_twice(
    service: Service, more: Json
) -> None:
    query: Json = {"from": service.clock.now().isoformat(), "limit": 2, **more}
    for openid in PEOPLE:
        await follow(service, openid)

    page = await service.read("followers", **query)
    found = names(page)
    while page["next"] is not None:
        await leave_and_return(service, found[-1])
        await leave_and_return(service, PEOPLE[0])
        await follow(service, f"oNEW{len(found)}")
        page = await service.read("followers", **query, after=page["next"])
        found += names(page)

    assert found == PEOPLE


async def test_a_person_who_unfollows_between_the_pages_is_still_listed(service: Service) -> None:
    query: Json = {"from": service.clock.now().isoformat(), "limit": 2}
    for openid in PEOPLE:
        await follow(service, openid)

    page = await service.read("followers", **query)
    found = names(page)
    for openid in PEOPLE:
        await service.push(event(service.clock, "unsubscribe", openid=openid))
    while page["next"] is not None:
        page = await service.read("followers", **query, after=page["next"])
        found += names(page)

    assert found == PEOPLE


async def test_of_one_persons_openids_none_is_listed_twice_either(
    service: Service, connection: asyncpg.Connection
) -> None:
    """What is of one person is read in another way."""
    query: Json = {"from": service.clock.now().isoformat(), "limit": 2, "unionid": "uONE"}
    for openid in PEOPLE:
        await follow(service, openid)
    await connection.execute("UPDATE followers SET unionid = 'uONE'")

    page = await service.read("followers", **query)
    found = names(page)
    while page["next"] is not None:
        await leave_and_return(service, found[-1])
        page = await service.read("followers", **query, after=page["next"])
        found += names(page)

    assert found == PEOPLE
