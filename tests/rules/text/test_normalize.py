"""Normalising takes no longer for a text that is made of combining marks."""

import unicodedata

import pytest

from app.rules.text.normalize import MAX_MARKS, NormalizedText, normalise

MARK = "\u0316"  # a grave accent below, which melts into no letter


@pytest.mark.parametrize("marks", [MAX_MARKS, MAX_MARKS + 1, 4000])
def test_of_a_run_of_combining_marks_so_many_are_kept(marks: int) -> None:
    start = "a"
    text = start + MARK * marks + "b" + MARK

    kept = start + MARK * min(marks, MAX_MARKS) + "b" + MARK

    assert normalise(text) == kept
    assert (NormalizedText(text).plain, NormalizedText(text).shown) == (kept, kept)


def test_a_run_that_grows_in_the_normal_form_is_cut_to_the_same_length() -> None:
    half_width_voiced_mark = "\uff9e"  # no mark before it is normalised
    form = normalise("a" + MARK * MAX_MARKS + half_width_voiced_mark * 5)

    assert len(form) == 1 + MAX_MARKS
    assert normalise(form) == form


@pytest.mark.parametrize("text", ["ΐ", "Ϊ́", "ǰ", "ẖ"])
def test_a_letter_that_folds_to_a_base_and_marks_is_one_letter_again(text: str) -> None:
    normal = normalise(text)

    assert len(normal) == 1
    assert unicodedata.is_normalized("NFKC", normal)


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("shop", ("shop",)),
        ("shop!", ("shop!", "shop")),
        ("!shop", ("!shop", "shop")),
        ("!shop?", ("!shop?", "shop?", "!shop", "shop")),
        ("!", ("!",)),
    ],
)
def test_a_text_is_compared_with_and_without_the_punctuation_around_it(
    text: str, forms: tuple[str, ...]
) -> None:
    assert NormalizedText(text).forms == forms
