"""The query of a launch, and what in it may be a ref."""

from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.arrivals.query_text import MAX_CANDIDATES, candidates, query_text

REF, OTHER = "hV3kQ9_x2A", "Ab3kQ9_x2A"
plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%\x00"), max_size=20)


@given(st.dictionaries(plain.filter(bool), plain, max_size=20))
def test_an_object_is_the_query_that_it_came_from(query: dict[str, str]) -> None:
    text = query_text(query)

    assert isinstance(text, str)
    # A plus is no blank in a query of a mini-program.
    assert dict(parse_qsl(text.replace("+", "%2B"), keep_blank_values=True)) == query


@pytest.mark.parametrize(
    ("ref", "query", "expected"),
    [
        (None, None, []),
        (REF, None, [REF]),
        (None, f"a=1&from={REF}", [REF]),
        (None, f"from={OTHER}&ref={REF}", [REF, OTHER]),
        (OTHER, f"ref={REF}", [OTHER, REF]),
        (REF, f"ref={REF}", [REF]),
        (None, f"id=1234567890&from={REF}", [REF, "1234567890"]),
        (None, f"scene={quote('Ab3kQ9_x2A')}&a={REF}", [OTHER, REF]),
        (None, "from=0123456789abcdef0123456789abcdef", ["0123456789abcdef0123456789abcdef"]),
        (None, "ref=summer26%2Eabcdefghijkl", ["summer26.abcdefghijkl"]),
        (None, "ref=a b&x=y", []),
        ("not a ref!", f"ref={REF}", [REF]),
    ],
)
def test_the_likeliest_ref_comes_first(
    ref: str | None, query: str | None, expected: list[str]
) -> None:
    assert candidates(ref, query) == expected


@given(st.text(max_size=200), st.text(max_size=500))
def test_any_text_gives_a_few_candidates_without_blanks(ref: str, query: str) -> None:
    found = candidates(ref, query)

    assert len(found) <= MAX_CANDIDATES
    assert all(one and not set(one) & set(" \t\n\0") for one in found)


def test_no_more_are_looked_for_than_the_first_few() -> None:
    query = "&".join(f"p{number}=abcdefghi{number}" for number in range(10))

    assert len(candidates(None, query)) == MAX_CANDIDATES


@pytest.mark.parametrize("query", [{"ref": "\ud800"}, {"\udc00": "a"}, {"ref": None}, {"ref": []}])
def test_what_is_no_query_is_told_in_a_sentence(query: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r": (type it again|put them in quotes)$"):
        query_text(query)
