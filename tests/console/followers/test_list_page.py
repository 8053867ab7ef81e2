"""The list of followers in the console, and the search for one of them."""

import re
from pathlib import Path

import asyncpg
import pytest

from app.console.followers import list_page
from tests.console.operator import Operator
from tests.console.people import HOSTILE, lives, person_path, push
from tests.links.makers import accounts_file
from tests.service import (
    APPID,
    CARD_APPID,
    OPENID,
    OTHER_OPENID,
    Service,
    settings_for,
    wechat_names,
)

CALL = "INSERT INTO follower_remarks (appid, openid, remark) VALUES ($1, $2, $3)"

UNIONID = "oUNIONID-of-a-person-000000"


def tails_of(page: str) -> list[str]:
    """Return the ends of the OpenIDs, in the order of the page."""
    return re.findall(r'<bdi class="typed ">••••([^<]{4})</bdi>', page)


async def test_the_newest_stand_first_and_no_openid_is_shown(
    service: Service, viewer: Operator
) -> None:
    await lives(service)
    page = (await viewer.get("/followers")).text

    assert tails_of(page) == [OTHER_OPENID[-4:], OPENID[-4:]]
    assert OPENID not in page
    assert "<b onclick" not in page


async def test_a_filter_lets_through_one_state_of_one_account(
    service: Service, viewer: Operator
) -> None:
    await lives(service)
    gone = (await viewer.get("/followers", following="no", appid=APPID)).text
    elsewhere = (await viewer.get("/followers", appid="wx0000000000000000")).text

    assert tails_of(gone) == [OTHER_OPENID[-4:]]
    assert "No follower fits these filters." in elsewhere


async def test_every_follower_is_on_one_page(
    service: Service, viewer: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_page, "PAGE_ROWS", 2)
    openids = [f"oPERSON{number:021d}" for number in range(5)]
    for openid in openids:
        await push(service, "subscribe", openid)
    await push(service, "unsubscribe", openids[2])
    seen, path = [], "/console/followers"
    while path:
        page = (await viewer.http.get(path)).text
        seen += tails_of(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""

    assert seen == [openid[-4:] for openid in reversed(openids)]


@pytest.mark.parametrize("wanted", [OPENID, f" {OPENID}\n", UNIONID])
async def test_a_person_is_found_by_an_id_that_no_address_has(
    service: Service, viewer: Operator, wanted: str
) -> None:
    await lives(service)
    await wechat_names(service, OPENID, UNIONID)
    answer = await viewer.post("/followers/find", {"person": wanted})
    path = answer.headers["Location"]
    page = (await viewer.http.get(path)).text

    assert answer.status_code == 303
    assert OPENID not in path + page
    assert UNIONID not in path + page
    assert f"Follower ••••{OPENID[-4:]}" in page


@pytest.mark.parametrize("wanted", ["", "nobody", "a\0b", "x" * 4096, HOSTILE])
async def test_whoever_is_not_known_is_not_found(viewer: Operator, wanted: str) -> None:
    answer = await viewer.post("/followers/find", {"person": wanted})

    assert answer.status_code == 422
    assert "Nobody is known" in answer.text.split('id="person-error"')[1]
    assert "<b onclick" not in answer.text


@pytest.mark.parametrize("remark", ["老王", HOSTILE])
async def test_a_person_is_found_by_a_remark(
    service: Service, viewer: Operator, connection: asyncpg.Connection, remark: str
) -> None:
    await lives(service)
    await connection.execute(CALL, APPID, OPENID, remark)
    answer = await viewer.post("/followers/find", {"person": f" {remark} "})
    page = (await viewer.http.get(answer.headers["Location"])).text

    assert answer.status_code == 303
    assert f"Follower ••••{OPENID[-4:]}" in page
    assert remark not in page


async def test_people_who_share_a_remark_are_listed(
    service: Service,
    viewer: Operator,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await lives(service)
    for openid in (OPENID, OTHER_OPENID):
        await connection.execute(CALL, APPID, openid, HOSTILE)
    everybody = (await viewer.post("/followers/find", {"person": HOSTILE})).text
    monkeypatch.setattr(list_page, "PAGE_ROWS", 1)
    cut = (await viewer.post("/followers/find", {"person": HOSTILE})).text

    assert sorted(tails_of(everybody)) == sorted([OPENID[-4:], OTHER_OPENID[-4:]])
    assert ("Only the first" in everybody, "Only the first 1 are" in cut) == (False, True)
    assert OPENID not in everybody
    assert "<b onclick" not in everybody


async def test_a_person_of_two_accounts_stands_once_among_namesakes(
    service: Service,
    viewer: Operator,
    connection: asyncpg.Connection,
    database_url: str,
    tmp_path: Path,
) -> None:
    await lives(service)
    two_accounts = settings_for(database_url, tmp_path, accounts_file=accounts_file(tmp_path))
    service.app.state.settings = two_accounts
    await connection.execute(
        "INSERT INTO openids (appid, openid, first_seen_at, last_seen_at)"
        " VALUES ($1, 'oElsewhere', now(), now())",
        CARD_APPID,
    )
    for appid, openid in ((APPID, OPENID), (CARD_APPID, "oElsewhere")):
        await connection.execute(CALL, appid, openid, "老王")
    apart = (await viewer.post("/followers/find", {"person": "老王"})).text
    await connection.execute(
        "UPDATE openids SET unionid = 'uShared' WHERE openid = ANY($1)", [OPENID, "oElsewhere"]
    )
    joined = await viewer.post("/followers/find", {"person": "老王"})
    await connection.execute(CALL, APPID, OTHER_OPENID, "老王")
    three = (await viewer.post("/followers/find", {"person": "老王"})).text

    assert len(tails_of(apart)) == 2
    assert joined.status_code == 303
    assert len(tails_of(three)) == 2


async def test_a_reference_is_the_same_each_time_and_cannot_be_made_up(
    service: Service, viewer: Operator
) -> None:
    await lives(service)
    path = await person_path(service)
    again = await viewer.post("/followers/find", {"person": OPENID})
    forged = [path[:-1] + ("A" if path[-1] != "A" else "B"), "/followers/person/x", path + "ä"]

    assert again.headers["Location"] == f"/console{path}"
    assert [(await viewer.get(one)).status_code for one in forged] == [404, 404, 404]
