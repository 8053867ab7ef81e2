"""Operators: adding them, their links, roles and sessions."""

import re

import pytest

from app.access.roles import Role
from tests.console.operator import FROM_A_PAGE, Operator, signed_in, visitor
from tests.service import Service

LINK = re.compile(r'value="(https://console\.example/console/sign-in/[\w-]{43})"')
ID = re.compile(r"/operators/([0-9a-f-]{36})/role")


def id_of(page: str, name: str) -> str:
    """Return the id of the operator whose name stands in a row of the list."""
    row = next(row for row in page.split("<tr>") if f'"typed ">{name}</bdi>' in row)
    found = ID.search(row)
    assert found is not None
    return found[1]


async def test_an_owner_adds_a_colleague_who_signs_in_with_the_link(
    service: Service, owner: Operator
) -> None:
    added = await owner.post("/operators/add", {"name": " 小李 ", "role": "editor"})
    (link,) = LINK.findall(added.text)
    async with visitor(service) as http:
        signed = await http.post(link, headers=FROM_A_PAGE)
        mine = await http.get("/console/settings")
        theirs = await http.get("/console/operators")
    again = await owner.get("/operators")

    assert (added.status_code, signed.status_code) == (200, 303)
    assert "小李" in mine.text
    assert theirs.status_code == 403
    assert link.rsplit("/", 1)[1] not in again.text
    assert added.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "1 to 40"),
        ("x" * 41, "1 to 40"),
        ("a\u202eb", "1 to 40"),
        ("小王", "in use"),
    ],
)
async def test_a_name_that_cannot_be_used_is_explained_beside_the_field(
    owner: Operator, name: str, says: str
) -> None:
    answer = await owner.post("/operators/add", {"name": name, "role": "owner"})

    assert answer.status_code == 422
    assert says in answer.text.split('id="name-error"')[1].split("</p>")[0]
    assert f'value="{name}"' in answer.text
    assert 'value="owner" checked' in answer.text


async def test_a_name_is_shown_as_text(owner: Operator) -> None:
    await owner.post("/operators/add", {"name": "<b onclick=x>'\"", "role": "viewer"})

    page = (await owner.get("/operators")).text
    assert "<b onclick" not in page
    assert "&lt;b onclick=x&gt;" in page


async def test_another_role_holds_at_once(service: Service, owner: Operator) -> None:
    async with signed_in(service, Role.VIEWER, name="小李") as other:
        before = await other.get("/operators")
        number = id_of((await owner.get("/operators")).text, "小李")
        changed = await owner.post(f"/operators/{number}/role", {"role": "owner"})
        after = await other.get("/operators")

    assert changed.headers["Location"] == "/console/operators?done=role"
    assert (before.status_code, after.status_code) == (403, 200)


async def test_the_last_owner_stays(owner: Operator) -> None:
    number = id_of((await owner.get("/operators")).text, owner.name)
    answers = [
        await owner.post(f"/operators/{number}/role", {"role": "viewer"}),
        await owner.post(f"/operators/{number}/disable"),
    ]

    for answer in answers:
        assert answer.status_code == 422
        assert "last owner" in answer.text
    assert (await owner.get("/operators")).status_code == 200


async def test_whoever_is_disabled_is_out_until_enabled(service: Service, owner: Operator) -> None:
    async with signed_in(service, Role.VIEWER, name="小李") as other:
        number = id_of((await owner.get("/operators")).text, "小李")
        await owner.post(f"/operators/{number}/disable")
        out = await other.get("/settings")
        no_link = await owner.post(f"/operators/{number}/link")
        await owner.post(f"/operators/{number}/enable")
        link = await owner.post(f"/operators/{number}/link")

    assert out.status_code == 401
    assert no_link.status_code == 422
    assert LINK.search(link.text)


async def test_a_session_is_listed_and_ended(service: Service, owner: Operator) -> None:
    async with signed_in(service, Role.VIEWER, name="小李") as other:
        page = (await owner.get("/operators/sessions")).text
        (number,) = re.findall(r"/sessions/([0-9a-f-]{36})/end", page)
        ended = await owner.post(f"/operators/sessions/{number}/end")
        out = await other.get("/settings")
        again = await owner.post(f"/operators/sessions/{number}/end")

    assert "this browser" in page
    assert ended.headers["Location"] == "/console/operators/sessions?done=ended"
    assert (out.status_code, again.status_code) == (401, 404)


@pytest.mark.parametrize("action", ["link", "role", "disable", "enable"])
async def test_an_operator_who_is_not_there_is_a_page_that_is_not_there(
    owner: Operator, action: str
) -> None:
    path = f"/operators/00000000-0000-0000-0000-000000000000/{action}"

    assert (await owner.post(path, {"role": "viewer"})).status_code == 404


async def test_what_is_done_stands_in_the_audit_log(owner: Operator) -> None:
    await owner.post("/operators/add", {"name": "小李", "role": "viewer"})
    page = (await owner.get("/audit", actor=owner.name)).text

    assert "added an operator" in page
    assert "made a sign-in link" in page
    assert "小李" in page
