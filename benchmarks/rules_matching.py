"""Measures the matching of 50,000 keywords and 1,000 patterns, also with other algorithms.

Run it with `python -m benchmarks.rules_matching`; --quick uses a tenth of the rules and texts.
"""

import gc
import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Annotated, Final

import psutil
import re2
import typer
from ahocorasick_rs import AhoCorasick
from rich import box
from rich.console import Console
from rich.table import Table

from app.rules import store
from app.rules.definition.schemas import RuleIn
from app.rules.definition.triggers import TextTrigger
from app.rules.matching.rule_set import Rule, RuleSet, compile_rules
from app.wechat import inbound
from app.wechat.ids import AppId

AIM_MATCH_MICROSECONDS: Final = 50
AIM_COMPILE_SECONDS: Final = 3
AIM_MEGABYTES: Final = 200
TEXT_CHARACTERS: Final = 50
APPID: Final = AppId("wx0123456789abcdef")
NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)

# About as many characters as Chinese texts use, so that keywords share prefixes as real ones do.
CHARACTERS: Final = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]

Way = Callable[[str], int | None]
"""Finds the id of the best rule for a text, in one of several ways."""

console = Console()


@dataclass(frozen=True, slots=True)
class Corpus:
    """Keywords and patterns, and texts. hits: texts with a keyword; misses: without one."""

    keywords: tuple[str, ...]
    patterns: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]


def main(
    quick: Annotated[bool, typer.Option("--quick", help="a tenth of the rules and texts")] = False,
) -> None:
    """Measure, and print three tables."""
    part = 10 if quick else 1
    corpus = draw(50_000 // part, 1_000 // part, 2_000 // part, random.Random(1))
    before = _resident()
    rules = rules_of(corpus)
    held = _resident()
    began, began_cpu = time.perf_counter(), time.process_time()
    compiled = compile_rules(rules, version=1)
    wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    table = _table("Compiling", "what", "reached", "aim")
    table.add_row("time, wall", f"{wall:.2f} s", f"< {AIM_COMPILE_SECONDS} s")
    table.add_row("time, CPU", f"{cpu:.2f} s", "")
    table.add_row("memory, all", f"{_resident() - before:.0f} MB", f"< {AIM_MEGABYTES} MB")
    table.add_row("memory, of it the rules as read", f"{held - before:.0f} MB", "")
    console.print(table)
    console.print(_ways(corpus, compiled))
    console.print(_one_word(corpus))
    console.print(_growth())


def draw(keywords: int, patterns: int, texts: int, rng: random.Random) -> Corpus:
    """Return a corpus: keywords of 2 to 6 characters, patterns with two words and a number."""

    def word() -> str:
        return "".join(rng.choices(CHARACTERS, k=rng.randint(2, 6)))

    words = tuple({word(): None for _ in range(keywords)})
    found = tuple(f"{word()}.*[0-9]+{word()}" for _ in range(patterns))
    misses = tuple("".join(rng.choices(CHARACTERS, k=TEXT_CHARACTERS)) for _ in range(texts))
    hits = tuple(
        (text[: TEXT_CHARACTERS // 2] + rng.choice(words) + text)[:TEXT_CHARACTERS]
        for text in misses
    )
    return Corpus(words, found, hits, misses)


def rules_of(corpus: Corpus) -> list[Rule]:
    """Return a rule for each keyword and pattern, in ascending order of ids."""
    triggers: Iterable[tuple[str, str]] = [
        *(("contains", word) for word in corpus.keywords),
        *(("regex", pattern) for pattern in corpus.patterns),
    ]
    return [
        store.rule_of(number, RuleIn.model_validate(_document(number, match, keyword)))
        for number, (match, keyword) in enumerate(triggers)
    ]


def _document(number: int, match: str, keyword: str) -> dict[str, object]:
    return {
        "name": f"Rule {number}",
        "trigger": {"on": "text", "match": match, "keyword": keyword},
        "replies": [{"msgtype": "text", "via": "passive", "content": f"Answer {number}"}],
    }


def ours(compiled: RuleSet) -> Way:
    """Return the service's own way: normalizing, keywords, patterns, conditions and order."""

    def find(text: str) -> int | None:
        message = inbound.Text(to_user="", from_user="", create_time=0, payload={}, content=text)
        chosen = compiled.choose(APPID, message, None, NOW)
        return chosen[0].rule.id if chosen else None

    return find


def loop(corpus: Corpus) -> Way:
    """Return the plain way: try every keyword and every pattern, one after the other."""
    ordered = sorted(range(len(corpus.keywords)), key=lambda n: -len(corpus.keywords[n]))
    words = [(corpus.keywords[number], number) for number in ordered]
    patterns = [re.compile(pattern) for pattern in corpus.patterns]

    def find(text: str) -> int | None:
        for word, number in words:
            if word in text:
                return number
        for number, pattern in enumerate(patterns, len(words)):
            if pattern.search(text):
                return number
        return None

    return find


def automaton(corpus: Corpus) -> Way:
    """Return the fastest other way: keywords in an Aho-Corasick automaton, patterns in an RE2 set.

    Building the automaton takes one second, during which no other code of the process runs.
    """
    words = AhoCorasick(corpus.keywords, store_patterns=False)
    together = _re2_set(corpus)

    def find(text: str) -> int | None:
        matches = words.find_matches_as_indexes(text, overlapping=True)
        if matches:
            return min((start - end, number) for number, start, end in matches)[1]
        found = together.Match(text.encode())
        return len(corpus.keywords) + min(found) if found else None

    return find


def windows(corpus: Corpus) -> Way:
    """Return the way that looks up every part of the text in a table; patterns in one RE2 set."""
    numbers = {word: number for number, word in enumerate(corpus.keywords)}
    lengths = sorted({len(word) for word in corpus.keywords}, reverse=True)
    together = _re2_set(corpus)

    def find(text: str) -> int | None:
        for length in lengths:
            found = [
                numbers[part]
                for start in range(len(text) - length + 1)
                if (part := text[start : start + length]) in numbers
            ]
            if found:
                return min(found)
        matches = together.Match(text.encode())
        return len(numbers) + min(matches) if matches else None

    return find


def _re2_set(corpus: Corpus) -> re2.Set:
    together = re2.Set.SearchSet()
    for pattern in corpus.patterns:
        together.Add(pattern)
    together.Compile()
    return together


def _ways(corpus: Corpus, compiled: RuleSet) -> Table:
    title = f"One text of {TEXT_CHARACTERS} characters, median (99th percentile) in µs"
    table = _table(title, "way", "a keyword in it", "nothing in it", "aim")
    few = 20  # a loop takes milliseconds
    for name, way, count, aim in (
        ("engine", ours(compiled), len(corpus.hits), f"< {AIM_MATCH_MICROSECONDS}"),
        ("automaton and RE2 set", automaton(corpus), len(corpus.hits), ""),
        ("windows and RE2 set", windows(corpus), len(corpus.hits), ""),
        ("loops", loop(corpus), few, ""),
    ):
        hits, misses = corpus.hits[:count], corpus.misses[:count]
        table.add_row(name, _timed(way, hits), _timed(way, misses), aim)
    engine, others = ours(compiled), (automaton(corpus), windows(corpus))
    wrong = [text for text in corpus.hits[:few] if {engine(text)} != {way(text) for way in others}]
    if wrong:
        raise RuntimeError(f"the ways disagree on {len(wrong)} texts")
    return table


def _one_word(corpus: Corpus) -> Table:
    """Measure patterns with a common word that is in every text: a prefilter excludes nothing."""
    patterns = tuple(f"{corpus.keywords[0]}.{{0,20}}{pattern}" for pattern in corpus.patterns)
    texts = tuple(corpus.keywords[0] + text[len(corpus.keywords[0]) :] for text in corpus.misses)
    shared = Corpus((), patterns, (), texts)
    table = _table("The same with patterns alone, which share a word of the text", "way", "µs")
    table.add_row("engine", _timed(ours(compile_rules(rules_of(shared), version=1)), texts))
    return table


def _timed(way: Way, texts: Sequence[str]) -> str:
    gc.collect()
    taken = []
    for text in texts:
        began = time.perf_counter_ns()
        way(text)
        taken.append((time.perf_counter_ns() - began) / 1000)
    return f"{median(taken):,.0f} ({quantiles(taken, n=100)[-1]:,.0f})"


def _growth() -> Table:
    """Measure hostile texts of increasing length: the time per character must not grow."""
    sizes = (250, 500, 1000, 2000, 4000, 16_000, 64_000)
    table = _table("Hostile texts: µs by length in characters", "text", *(f"{n:,}" for n in sizes))
    nested = [("regex", p) for p in ("(a+)+b", "(a|a)*b", "(.*a){8}b", "([a-z]+)*!")]
    runs = [("contains", "a" * length) for length in range(1, 51)]
    others = [("prefix", "a"), ("suffix", "b"), ("regex", "b$")]
    rules = [
        Rule(
            number,
            "",
            None,
            100,
            TextTrigger.model_validate({"on": "text", "match": match, "keyword": keyword}),
            (),
        )
        for number, (match, keyword) in enumerate([*nested, *runs, *others])
    ]
    way = ours(compile_rules(rules, version=1, most=10))
    for name, unit in (
        ("a long run", "a"),
        ("runs and breaks", "aaaab"),
        ("marks", "\u0315\u0300"),
    ):
        row = []
        for size in sizes:
            text = (unit * size)[:size]
            row.append(min(_microseconds(way, text) for _ in range(5)))
        table.add_row(name, *(f"{taken:,.0f}" for taken in row))
    table.caption = "What lies beyond 4,096 characters is not looked at."
    return table


def _microseconds(way: Way, text: str) -> float:
    began = time.perf_counter_ns()
    way(text)
    return (time.perf_counter_ns() - began) / 1000


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=box.SIMPLE)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right")
    return table


def _resident() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6


if __name__ == "__main__":
    typer.run(main)
