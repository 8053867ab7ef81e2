"""Normalising takes no longer for a text that is made of combining marks."""

import pytest

from app.rules.text.normalize import MAX_MARKS, NormalizedText, normalise

MARK = "\u0316"  # a grave accent below, which melts into no letter


@pytest.mark.parametrize("marks", [MAX_MARKS, MAX_MARKS + 1, 4000])
def test_of_a_run_of_combining_marks_so_many_are_kept(marks: int) -> None:
    start = "a" * 2 * MAX_MARKS  # a short text is not looked at
    text = start + MARK * marks + "b" + MARK

    kept = start + MARK * min(marks, MAX_MARKS) + "b" + MARK

    assert normalise(text) == kept
    assert (NormalizedText(text).plain, NormalizedText(text).shown) == (kept, kept)
