"""A document says on the way in what it said on the way out."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.rules.documents import DocumentFormat, read, write
from app.rules.schemas import RuleOut
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
).filter(lambda text: text.strip())
WORDS = LOOKS_LIKE | VISIBLE


def stored(name: str, keyword: str, scene: str, metres: float, priority: int) -> RuleOut:
    triggers: list[dict[str, Any]] = [
        {"on": "text", "match": "exact", "keyword": keyword, "raw": True},
        {"on": "subscribe", "scene": scene.strip()},
        {"on": "location", "latitude": 31, "longitude": 121, "radius_metres": metres},
    ]
    posted = as_posted(
        name=name,
        priority=priority,
        trigger=triggers[priority % 3],
        conditions={"share": {"percent": 50, "salt": scene[:64].strip()}},
    )
    stamps = {"created_at": NOON, "updated_at": NOON}
    return RuleOut.model_validate({**posted, "id": 1, "revision": 1, **stamps})


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


@pytest.mark.parametrize("format", list(DocumentFormat))
@given(rules=RULES)
@example(rules=[stored("0898", "0898", "0898", 1e-3, n) for n in range(3)])
def test_every_rule_comes_back_as_it_was(format: DocumentFormat, rules: list[RuleOut]) -> None:
    document = read(write(rules, format), format)

    assert isinstance(document, dict)
    stamps = {"revision": 1, "created_at": NOON, "updated_at": NOON}
    assert [RuleOut.model_validate(rule | stamps) for rule in document["rules"]] == rules


def test_a_telephone_prefix_that_somebody_writes_plain_stays_a_text() -> None:
    assert read(b"keyword: 0898", DocumentFormat.YAML) == {"keyword": "0898"}
