"""docs/openapi.json is that of this code, and holds what readers and generators of clients need."""

import re
from collections.abc import Iterator
from typing import Any

from app.ops.api_document import TAGS
from tools.write_openapi import FILE, kept, openapi_text

Json = dict[str, Any]

DOCUMENT = kept()
SCHEMAS: dict[str, Json] = DOCUMENT["components"]["schemas"]
ERRORS = ({"$ref": "#/components/schemas/Detail"}, {"$ref": "#/components/schemas/Problems"})


def operations(prefix: str = "/") -> Iterator[tuple[str, Json]]:
    for path, found in DOCUMENT["paths"].items():
        if path.startswith(prefix):
            yield from ((f"{method} {path}", operation) for method, operation in found.items())


def parts(value: object) -> Iterator[Json]:
    """Every object of the document."""
    if isinstance(value, dict):
        yield value
        value = [*value.values()]
    if isinstance(value, list):
        for inner in value:
            yield from parts(inner)


def test_the_file_is_the_document_of_this_code() -> None:
    same = FILE.read_text(encoding="utf-8") == openapi_text()

    assert same, "the API has changed: run `make openapi`, and look at the difference in review"


def test_each_schema_has_a_title_of_its_own_which_is_its_name() -> None:
    assert {name: schema["title"] for name, schema in SCHEMAS.items()} == {
        name: name for name in SCHEMAS
    }
    # Where a type differs by direction (-Input, -Output), what was read does not fit to be sent.
    assert [name for name in SCHEMAS if not name.isidentifier()] == []


def test_each_member_and_each_parameter_is_described() -> None:
    members = [
        f"{name}.{member}"
        for name, schema in SCHEMAS.items()
        for member, part in schema.get("properties", {}).items()
        if not part.get("description")
    ]
    parameters = [
        f"{name} {parameter['name']}"
        for name, operation in operations()
        for parameter in operation.get("parameters", [])
        if not (parameter.get("description") or parameter["schema"].get("description"))
    ]

    assert (members, parameters) == ([], [])


def test_each_array_says_of_what_it_is() -> None:
    arrays = [part for part in parts(DOCUMENT) if part.get("type") == "array"]

    assert arrays
    assert [one for one in arrays if not one.keys() & {"items", "prefixItems"}] == []


def test_each_operation_has_a_short_name_of_its_own_a_summary_and_a_described_tag() -> None:
    found = dict(operations())
    names = [operation["operationId"] for operation in found.values()]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z_]{3,30}", name)] == []
    assert [name for name, operation in found.items() if not operation.get("summary")] == []
    tags = {tag for operation in found.values() for tag in operation["tags"]}
    assert tags == {tag["name"] for tag in TAGS if tag["description"]}


def test_each_body_of_the_api_has_examples_of_its_own() -> None:
    bodies = {
        f"{name} {kind}": content.get("examples")
        for name, operation in operations("/api/")
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
    }

    assert len(bodies) > 8
    assert [name for name, examples in bodies.items() if not examples] == []


def test_each_operation_of_the_api_tells_of_the_errors_of_the_gate_and_of_its_body() -> None:
    for name, operation in operations("/api/"):
        expected = {"401", "403", "429", "503"}
        if "requestBody" in operation:
            expected |= {"408", "413", "415", "422"}
        assert operation["responses"].keys() >= expected, name


def test_each_change_with_an_etag_tells_of_412_and_428() -> None:
    for name, operation in operations("/api/rules/{rule_id}"):
        if "if-match" in {one["name"] for one in operation.get("parameters", [])}:
            assert operation["responses"].keys() >= {"412", "428"}, name


def test_each_error_of_the_api_has_one_of_two_bodies() -> None:
    for name, operation in operations("/api/"):
        for status, response in operation["responses"].items():
            if status >= "400":
                schema = response["content"]["application/json"]["schema"]
                assert schema == ERRORS[status == "422"], (name, status)
