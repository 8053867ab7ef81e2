"""The word index finds the same words by its table and by its automaton."""

from hypothesis import given
from hypothesis import strategies as st

from app.rules.text.word_index import MAX_LENGTHS, WordIndex

WORDS = st.lists(st.text("ab商", min_size=1, max_size=5), unique=True, max_size=30)
RUNS = st.sampled_from([[], ["b" + "a" * length for length in range(1, MAX_LENGTHS + 5)]])


@given(WORDS, RUNS, st.text("ab商", max_size=25), st.sampled_from([0, 10]))
def test_exactly_the_words_that_are_in_the_text_are_found(
    words: list[str], runs: list[str], text: str, few: int
) -> None:
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*words, *runs]))}

    found = WordIndex.of(numbers, few=few).found_in(text)

    assert found == {number for word, number in numbers.items() if word in text}


def test_only_words_with_a_crowded_beginning_make_up_an_automaton() -> None:
    runs = ["b" + "a" * length for length in range(1, MAX_LENGTHS + 2)]

    few = WordIndex.of({word: number for number, word in enumerate(runs[:MAX_LENGTHS])}, few=0)
    many = WordIndex.of({word: number for number, word in enumerate([*runs, "商城"])}, few=0)

    assert few.automaton is None
    assert many.automaton is not None
    assert len(many.crowded) == len(runs)
