"""A document that was written reads back as the same rules."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.rules.definition.schemas import RuleOut
from app.rules.editing.room import MAX_RULES
from app.rules.importing.document import DocumentFormat, read_items, write
from app.rules.importing.limits import MAX_BYTES
from app.rules.text.normalize import normalise
from tests.rules.makers import NOON, as_posted

LOOKS_LIKE = st.sampled_from(
    (
        *["0898", "+08", "1_000", "0x1F", "0o17", "1.5", ".5", "1e5", "1.0e5", "09:00", ".inf"],
        *["2026-11-24", "yes", "on", "true", "~", "null", "-", "=", "<<", "- a", "a: b", "# a"],
        *["!x", "&a", "*a"],
    )
)
VISIBLE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=150
).filter(normalise)
WORDS = LOOKS_LIKE | VISIBLE


def as_stored(rule_id: int, **changes: object) -> RuleOut:
    stamps = {"created_at": NOON, "updated_at": NOON}
    return RuleOut.model_validate({**as_posted(**changes), "id": rule_id, "revision": 1, **stamps})


def stored(name: str, keyword: str, scene: str, metres: float, priority: int) -> RuleOut:
    triggers: list[dict[str, Any]] = [
        {"on": "text", "match": "exact", "keyword": keyword, "raw": True},
        {"on": "subscribe", "scene": scene.strip()},
        {"on": "location", "latitude": 31, "longitude": 121, "radius_metres": metres},
    ]
    return as_stored(
        1,
        name=name,
        priority=priority,
        trigger=triggers[priority % 3],
        conditions={"share": {"percent": 50, "salt": scene[:64].strip()}},
    )


RULES = st.lists(
    st.builds(
        stored,
        WORDS,
        WORDS.filter(lambda word: word.strip().strip("\u200b")),
        st.text("0123456789._+-eExo:", min_size=1, max_size=64),
        st.floats(0.0001, 100) | st.integers(1, 100),
        st.integers(-99, 99),
    ),
    max_size=3,
)


def read_all(document: bytes, format: DocumentFormat) -> list[Any]:
    return [*read_items(BytesIO(document), format)]


@pytest.mark.parametrize("format", list(DocumentFormat))
@given(rules=RULES)
@example(rules=[stored("0898", "0898", "0898", 1e-3, n) for n in range(3)])
def test_every_rule_comes_back_as_it_was(format: DocumentFormat, rules: list[RuleOut]) -> None:
    stamps = {"revision": 1, "created_at": NOON, "updated_at": NOON}

    items = read_all(write(rules, format), format)

    assert [RuleOut.model_validate(rule | stamps) for rule in items] == rules


def test_a_telephone_prefix_that_somebody_writes_plain_stays_a_text() -> None:
    assert read_all(b"rules: [{keyword: 0898}]", DocumentFormat.YAML) == [{"keyword": "0898"}]


@pytest.mark.parametrize("format", list(DocumentFormat))
def test_as_many_rules_as_an_import_takes_are_exported_as_a_document_that_it_takes(
    format: DocumentFormat,
) -> None:
    some = [as_stored(MAX_RULES - number, name=f"Shop {MAX_RULES}") for number in range(100)]

    assert len(write(some, format)) * MAX_RULES / len(some) <= MAX_BYTES


def test_json_has_a_line_for_each_rule() -> None:
    rules = [as_stored(number) for number in (1, 2, 3)]

    lines = write(rules, DocumentFormat.JSON).splitlines()

    assert [json.loads(line.rstrip(b","))["id"] for line in lines[1:-1]] == [1, 2, 3]
