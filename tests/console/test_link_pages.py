"""A link is changed in the console, and not over the change of somebody else."""

import re

import asyncpg
import pytest

from tests.console import made_links
from tests.console.operator import Operator
from tests.service import CARD_APPID, Service

FORM = {
    "name": "Autumn",
    "slug": "autumn26",
    "appid": CARD_APPID,
    "path": "pages/autumn/index",
    "query": "ref={ref}",
    "utm_source": "sms",
    "fallback_url": "https://example.com/autumn",
}


async def a_link(service: Service) -> str:
    """Make a link; return the path of its page."""
    return (await made_links.a_form(service)).removesuffix("/edit")


async def test_a_link_is_changed_and_the_change_is_written_down(
    service: Service, owner: Operator, connection: asyncpg.Connection
) -> None:
    path = await a_link(service)
    form = (await owner.get(f"{path}/edit")).text
    answer = await owner.post(f"{path}/edit", FORM | {"revision": 1})
    page = (await owner.get(path)).text
    found = await service.read(f"links/{path.rpartition('/')[2]}")
    log = (await owner.get("/audit", action="link.changed")).text

    assert 'value="summer26"' in form
    assert answer.headers["location"].endswith(f"{path}?done=changed")
    assert {name: found[name] for name in FORM if name != "utm_source"} == {
        name: value for name, value in FORM.items() if name != "utm_source"
    }
    assert (found["utm"], found["revision"]) == ({"source": "sms"}, 2)
    assert "changed a link" in log
    assert "<figure" in page
    await connection.execute("DELETE FROM link_opens")
    page = (await owner.get(path)).text
    assert "Nobody has opened it" in page
    assert "<figure" not in page


async def test_what_the_form_does_not_show_is_kept(service: Service, owner: Operator) -> None:
    path = await a_link(service)
    link_id = path.rpartition("/")[2]
    stored = await service.read(f"links/{link_id}")
    stored |= {"utm": {"source": "a", "medium": "sms"}, "env_version": "trial"}
    await service.api("PUT", f"links/{link_id}", json=stored)
    await owner.post(f"{path}/edit", FORM | {"utm_source": "", "revision": 2})
    found = await service.read(f"links/{link_id}")

    assert (found["utm"], found["env_version"]) == ({"medium": "sms"}, "trial")


async def test_of_two_who_change_it_the_second_sees_both_and_may_save_again(
    service: Service, owner: Operator
) -> None:
    path = await a_link(service)
    await owner.post(f"{path}/edit", FORM | {"name": "THEIRS", "revision": 1})
    refused = await owner.post(f"{path}/edit", FORM | {"name": "MINE", "revision": 1})
    kept = await service.read(f"links/{path.rpartition('/')[2]}")
    again = await owner.post(f"{path}/edit", FORM | {"name": "MINE", "revision": 2})

    assert refused.status_code == 409
    assert re.search(r"THEIRS.*MINE", refused.text)
    assert '<input type="hidden" name="revision" value="2">' in refused.text
    assert 'value="MINE"' in refused.text
    assert kept["name"] == "THEIRS"
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": " "}, "A name has 1 to 100 characters."),
        ({"appid": "wx00000000000000ff"}, "Add the mini-program with its AppSecret"),
        ({"slug": "other-one"}, "Another link has this ending"),
    ],
)
async def test_what_is_wrong_is_told_and_what_was_typed_stays(
    service: Service, owner: Operator, change: dict[str, str], told: str
) -> None:
    path = await a_link(service)
    await owner.post("/links/add", FORM | {"slug": "other-one"})
    answer = await owner.post(f"{path}/edit", FORM | change | {"revision": 1})

    assert answer.status_code == 422
    assert told in answer.text
    assert 'value="pages/autumn/index"' in answer.text
    assert '<input type="hidden" name="revision" value="1">' in answer.text


async def test_what_was_typed_survives_that_the_link_is_deleted(
    service: Service, owner: Operator
) -> None:
    path = await a_link(service)
    await owner.post(f"{path}/delete", {})
    answer = await owner.post(f"{path}/edit", FORM | {"revision": 1})

    assert "Somebody has deleted this link meanwhile." in answer.text
    assert 'value="autumn26"' in answer.text


async def test_a_renewal_that_an_operator_asks_for_is_written_down(
    service: Service, owner: Operator
) -> None:
    path = await a_link(service)
    await owner.post(f"{path}/renew", {})

    assert "let a link be renewed" in (await owner.get("/audit", action="link.renewed")).text
