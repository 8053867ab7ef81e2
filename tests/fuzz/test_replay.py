"""What the fuzzer has found stays found: its corpus, and every seed, in `make test`."""

from dataclasses import replace
from math import inf

import pytest
from uuid_utils.compat import uuid7

from tests.fuzz import corpus
from tests.fuzz.accounts import arguments_of
from tests.fuzz.database_check import refused_by
from tests.fuzz.judge import judge
from tests.fuzz.storable import JsonText, refusal
from tests.fuzz.target import NAMES, Target, load
from tests.fuzz.targets import pushes


@pytest.mark.parametrize("name", NAMES)
def test_the_corpus_of_a_target_is_read_without_a_fault(name: str) -> None:
    target = load(name)

    faults = {data: cause for data in _inputs(name, target) if (cause := _fault(target, data))}

    assert faults == {}


def _inputs(name: str, target: Target) -> list[bytes]:
    # A target may have thousands of seeds, which the fuzzer itself begins with.
    return [*corpus.read(name), *list(target.seeds())[::10]]


def _fault(target: Target, data: bytes) -> str | None:
    return judge(target, data, max_seconds=inf).fault


def test_a_fault_is_seen() -> None:
    def try_case(data: bytes) -> list[object]:
        if data == b"error":
            raise KeyError("a")
        return [data.decode(errors="surrogateescape")]

    target = Target(try_case, list)

    assert judge(target, b"fine").fault is None
    assert "KeyError" in str(judge(target, b"error").fault)
    assert "surrogate" in str(judge(target, b"\xff").fault)


@pytest.mark.parametrize(
    "value",
    [
        "a\x00b",
        "\ud83d",
        2**63,
        [["\ud83d"]],
        JsonText('"\\u0000"'),
        JsonText('"\\\\\\u0000"'),
        JsonText('{"a": ["\\ud83d"]}'),
        JsonText("1e20000"),
        JsonText("{"),
        JsonText('{"a": NaN}'),
        JsonText("-Infinity"),
        JsonText("[" * 2000 + "]" * 2000),
    ],
)
def test_what_postgres_refuses_is_known_without_it(value: object) -> None:
    assert refusal([value]) is not None


async def test_postgres_takes_what_the_oracle_lets_through_and_refuses_what_it_does_not(
    database_url: str,
) -> None:
    inputs = [*pushes.seeds(), *corpus.read("pushes")]
    records = [found for data in inputs if (found := pushes.record(data)) is not None]
    poisoned = replace(
        records[0], id=uuid7(), dedupe_key=bytes(20), drafts=(), payload='{"Content": "\\u0000"}'
    )

    refused = await refused_by(database_url, [*records, poisoned])

    assert refused == [poisoned]
    assert refusal(arguments_of(poisoned)) is not None
    assert all(refusal(arguments_of(record)) is None for record in records)
