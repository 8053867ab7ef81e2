"""A row that is not a valid rule: the reason, its raw document, and how it is corrected."""

import html
import re

import orjson
import pytest
from sqlalchemy import text

from app.access.roles import Role
from tests.console.operator import Operator, signed_in
from tests.service import Json, Service, text_reply


async def broken(service: Service) -> int:
    """Make a row that has no replies any more; return its id."""
    rule_id = await service.add_rule(text_reply("</textarea><b onclick=x>"), name="<b onclick=x>")
    async with service.app.state.database.sessions.begin() as session:
        await session.execute(
            text("UPDATE rules SET replies = '[]' WHERE id = :id"), {"id": rule_id}
        )
    return rule_id


def document_of(page: str) -> Json:
    """Return what stands in the field of the page."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found is not None
    document: Json = orjson.loads(html.unescape(found[1]))
    return document


async def test_the_reason_is_given_and_a_corrected_document_is_a_rule_again(
    service: Service, owner: Operator
) -> None:
    rule_id = await broken(service)
    page = (await owner.get(f"/rules/{rule_id}")).text
    document = document_of(page)
    fixed = document | {"replies": [text_reply("fixed")]}
    answer = await owner.post(
        f"/rules/{rule_id}/document", {"revision": 1, "document": orjson.dumps(fixed).decode()}
    )
    rule = await service.read(f"rules/{rule_id}")
    log = (await owner.get("/audit", action="rule.changed")).text

    assert "Content of the reply – is empty: add at least one reply" in page
    assert "<b onclick" not in page
    assert (document["replies"], document["name"]) == ([], "<b onclick=x>")
    assert answer.headers["location"] == f"/console/rules/{rule_id}?done=saved"
    assert (rule["replies"][0]["content"], rule["revision"]) == ("fixed", 2)
    assert "changed a rule" in log


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("", "This is not an object in JSON"),
        ("[]", "This is not an object in JSON"),
        ('{"name": "A"', "This is not an object in JSON"),
        ('{"name": "A", "replies": []}', "is missing: add it"),
    ],
)
async def test_what_is_still_wrong_is_said_and_what_was_typed_stays(
    service: Service, owner: Operator, document: str, told: str
) -> None:
    rule_id = await broken(service)
    answer = await owner.post(f"/rules/{rule_id}/document", {"revision": 1, "document": document})

    assert answer.status_code == 422
    assert told in answer.text
    assert document in html.unescape(answer.text)
    assert rule_id in [one["id"] for one in (await service.read("rules"))["broken"]]


def corrected(name: str) -> str:
    rule = {
        "name": name,
        "trigger": {"on": "text", "match": "exact", "keyword": "a"},
        "replies": [text_reply()],
    }
    return orjson.dumps(rule).decode()


async def test_of_two_who_correct_it_the_second_sees_both_and_may_save_again(
    service: Service, owner: Operator
) -> None:
    rule_id = await broken(service)
    first = await owner.post(
        f"/rules/{rule_id}/document", {"revision": 1, "document": corrected("THEIRS")}
    )
    second = await owner.post(
        f"/rules/{rule_id}/document", {"revision": 1, "document": corrected("MINE")}
    )

    assert first.headers["location"].endswith("done=saved")
    assert second.status_code == 409
    assert 'value="MINE"' in second.text
    assert re.search(r"Rule name.*THEIRS.*MINE", second.text)
    assert '<input type="hidden" name="revision" value="2">' in second.text
    assert (await service.read(f"rules/{rule_id}"))["name"] == "THEIRS"


async def test_of_two_who_correct_it_badly_nobody_overwrites_the_newer_revision(
    service: Service, owner: Operator
) -> None:
    """What is typed stays on the page with the revision that it was made from."""
    rule_id = await broken(service)
    await owner.post(f"/rules/{rule_id}/document", {"revision": 1, "document": corrected("A")})
    bad = await owner.post(f"/rules/{rule_id}/document", {"revision": 1, "document": "{MINE"})

    assert bad.status_code == 422
    assert "{MINE" in bad.text
    assert '<input type="hidden" name="revision" value="1">' in bad.text
    assert "Somebody has corrected this rule meanwhile." in bad.text


async def test_what_was_typed_survives_that_the_rule_is_deleted(
    service: Service, owner: Operator
) -> None:
    rule_id = await broken(service)
    await owner.post(f"/rules/{rule_id}/delete", {"revision": 1})
    answer = await owner.post(
        f"/rules/{rule_id}/document", {"revision": 1, "document": corrected("MINE")}
    )

    assert answer.status_code == 409
    assert 'value="MINE"' in answer.text
    assert "Saving makes a new one of it." in answer.text


async def test_a_viewer_sees_the_reason_alone(service: Service) -> None:
    rule_id = await broken(service)
    async with signed_in(service, Role.VIEWER, name="V") as viewer:
        page = (await viewer.get(f"/rules/{rule_id}")).text
        answer = await viewer.post(f"/rules/{rule_id}/document", {"revision": 1, "document": "{}"})

    assert "is empty: add at least one reply" in page
    assert "<textarea" not in page
    assert answer.status_code == 403
