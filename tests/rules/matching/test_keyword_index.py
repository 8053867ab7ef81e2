"""One pass over a text finds the rules whose keywords it has."""

from typing import Any

import pytest

from app.rules.definition.text_triggers import TextTrigger
from app.rules.matching.keyword_index import KeywordIndex


def index_of(*triggers: dict[str, Any]) -> KeywordIndex:
    """Return an index of triggers, which have their places as ranks."""
    made = [TextTrigger.model_validate({"on": "text", **trigger}) for trigger in triggers]
    return KeywordIndex.of(enumerate(made))


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("red shoes", [0, 1]),
        ("shoes", [1]),
        ("red", [1]),
        ("shoes, red, in size 40", [0, 1, 2]),
        ("size 40", []),
    ],
)
def test_of_several_keywords_all_or_one_must_be_in_the_text(text: str, ranks: list[int]) -> None:
    index = index_of(
        {"match": "all", "keywords": ["red", "shoes"]},
        {"match": "any", "keywords": ["red", "shoes"]},
        {"match": "all", "keywords": ["red", "shoes", "size"]},
    )

    assert sorted(set(index.inside(text))) == ranks


@pytest.mark.parametrize(
    ("text", "ranks"),
    [("a", [0]), ("ab", [1, 2, 3]), ("abc", [2]), ("cab", [3]), ("b", []), ("", [])],
)
def test_a_keyword_at_an_end_may_be_the_whole_text(text: str, ranks: list[int]) -> None:
    index = index_of(
        {"match": "exact", "keyword": "a"},
        {"match": "exact", "keyword": "ab"},
        {"match": "prefix", "keyword": "ab"},
        {"match": "suffix", "keyword": "ab"},
    )

    assert sorted(index.anchored(text)) == ranks
