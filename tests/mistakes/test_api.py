"""A wrong request is answered with what is wrong, member by member, and never with a 500."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from app.rules.definition.pattern_messages import PATTERN_MESSAGES
from tests.mistakes.api_mistakes import BODIES, IDS, patterns, wrong_bodies, wrong_queries
from tests.service import ADMIN_TOKEN, Json, Service, clock, service, settings
from tools.write_openapi import kept

__all__ = ["clock", "service", "settings"]

DOCUMENT = kept()
# How pydantic and Python say it.
RAW = r"Input |String should|Value |Unable to|Field required|codec|expected|can't be used: compare"
# Of a number with decimals, which pydantic refuses for other reasons.
AMOUNT = r"^\d{1,12}(\.\d{1,2})?$"


def operations() -> Iterator[tuple[str, str, Json]]:
    for path, methods in DOCUMENT["paths"].items():
        if path.startswith("/api/"):
            for method, operation in methods.items():
                yield method.upper(), path, operation


def body_of(operation: Json) -> Json | None:
    content = operation.get("requestBody", {}).get("content", {})
    schema: Json | None = content.get("application/json", {}).get("schema")
    return schema if schema is not None and "$ref" in schema else None


WITH_BODY = [(m, path, operation) for m, path, operation in operations() if body_of(operation)]
WITH_QUERY = [
    (method, path, operation)
    for method, path, operation in operations()
    if any(wrong_queries(DOCUMENT, operation))
]


def named(one: object) -> str:
    return one if isinstance(one, str) else ""


async def ask(service: Service, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
    headers = {"authorization": f"Bearer {ADMIN_TOKEN}", "if-match": "*"}
    if "content" in more:
        headers["content-type"] = "application/json"
    with capture_logs() as logs:
        answer = await service.http.request(method, path.format(**IDS), headers=headers, **more)
    assert [line for line in logs if line["log_level"] in {"error", "critical"}] == []
    return answer


def check(answer: httpx.Response, name: str, what: object) -> None:
    """Fail unless the answer names a member, in one line without the value that was sent."""
    assert answer.status_code == 422, (what, answer.text)
    problems = answer.json()["detail"]
    assert isinstance(problems, list), (what, problems)
    assert any(name in problem["loc"] or name in problem["msg"] for problem in problems), (
        what,
        problems,
    )
    for problem in problems:
        assert problem["msg"], what
        assert "\n" not in problem["msg"], what
        assert "Traceback" not in problem["msg"], what
        assert not re.search(RAW, problem["msg"]), (what, problem)


FOUND_BY_NAME = ("/api/campaigns", "/api/links", "/api/qrcodes", "/api/notice-sends", "/api/tags")
NAMED = [
    (method, path, BODIES[name])
    for method, path, operation in WITH_BODY
    if path.startswith(FOUND_BY_NAME)
    and (schema := body_of(operation))
    and "name" in BODIES[name := schema["$ref"].rpartition("/")[2]]
]


@pytest.mark.parametrize("name", ["\u200b", "\u202e \u3164"])
@pytest.mark.parametrize(("method", "path", "body"), NAMED, ids=named)
async def test_a_name_that_nobody_can_see_is_refused(
    service: Service, method: str, path: str, body: Json, name: str
) -> None:
    answer = await ask(service, method, path, json=body | {"name": name})

    check(answer, "name", name)
    assert "can be seen" in answer.text


def test_every_body_is_tried() -> None:
    used = {
        schema["$ref"].rpartition("/")[2] for _, _, one in WITH_BODY if (schema := body_of(one))
    }

    assert used == BODIES.keys()


def test_every_pattern_has_words() -> None:
    assert PATTERN_MESSAGES.keys() >= {*patterns(DOCUMENT)} - {AMOUNT}


@pytest.mark.parametrize(
    "content",
    [b"[" * 3000, b'{"a":' * 3000, b'{"number": ' + b"9" * 5000 + b"}"],
    ids=["lists", "objects", "digits"],
)
async def test_a_body_that_python_can_not_read_is_told_so(service: Service, content: bytes) -> None:
    answer = await ask(service, "POST", "/api/webhooks", content=content)

    check(answer, "body", content[:9])


@pytest.mark.parametrize(("method", "path", "operation"), WITH_BODY, ids=named)
async def test_a_member_that_is_missing_or_of_another_type_is_named(
    service: Service, method: str, path: str, operation: Json
) -> None:
    schema = body_of(operation)
    assert schema is not None
    good = BODIES[schema["$ref"].rpartition("/")[2]]
    wrong = list(wrong_bodies(DOCUMENT, schema, good))

    assert len(wrong) >= 2
    for body, member, mistake in wrong:
        answer = await ask(service, method, path, content=json.dumps(body))
        check(answer, member, (member, mistake))


@pytest.mark.parametrize(("method", "path", "operation"), WITH_QUERY, ids=named)
async def test_a_parameter_of_another_type_is_named(
    service: Service, method: str, path: str, operation: Json
) -> None:
    for name, value in wrong_queries(DOCUMENT, operation):
        good = {"format": "csv"} if path.endswith("events/export") else {}
        answer = await ask(service, method, path, params={**good, name: value})
        check(answer, name, (name, value))


@pytest.mark.parametrize(
    "path", ["rules/x", "webhooks/x", "erasures/x", "rules/1/revisions/x/restore"]
)
async def test_an_id_that_is_none_is_no_error_of_the_service(service: Service, path: str) -> None:
    method = "POST" if path.endswith("restore") else "GET"
    answer = await ask(service, method, f"/api/{path}")

    assert answer.status_code in {404, 422}
    assert answer.json()["detail"]
