"""What the fuzzer is told of one target."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final

Values = Iterable[object]
"""What a case would write to the database or ask it for."""


@dataclass(frozen=True)
class Target:
    """One place that reads what comes from outside.

    try_case: reads an input and returns what the database would get; it lets no error pass but
    those that nobody has documented. seeds: the inputs to begin with. words: what an input is made
    of, for the mutations. forget: empties caches, so that a slow case is slow again. max_bytes: of
    an input.
    """

    try_case: Callable[[bytes], Values]
    seeds: Callable[[], Iterable[bytes]]
    words: Sequence[str] = ()
    forget: Callable[[], object] = lambda: None
    max_bytes: int = 4096


NAMES: Final = (
    "envelopes",
    "pushes",
    "aes",
    "rule_documents",
    "patterns",
    "api_answers",
    "webhook_answers",
    "cursors",
    "reports",
)


def load(name: str) -> Target:
    """Return a target. Its module, and what it tests, is imported no earlier than here."""
    target: Target = import_module(f"tests.fuzz.targets.{name}").TARGET
    return target
