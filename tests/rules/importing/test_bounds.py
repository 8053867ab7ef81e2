"""A document of any size and content takes little memory, and bad ones end early."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from app.rules.definition.validation_errors import InvalidRequest, Problem
from app.rules.importing import imported_rules
from app.rules.importing.document import DocumentFormat
from app.rules.importing.imported_rules import read_rules
from app.rules.importing.limits import CHUNK_BYTES, MAX_ITEM_BYTES
from tests.rules.makers import as_posted, settings_with

MIB = 2**20
JSON = {"content-type": "application/json"}
YAML = {"content-type": "application/yaml"}


class Endless(BytesIO):
    """A document that repeats the same part for ever. taken: how much of it was read."""

    def __init__(self, start: bytes, part: bytes) -> None:
        super().__init__()
        self._rest, self._part = start, part * (65536 // len(part) + 1)
        self.taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0, "the whole document is read at once"
        while len(self._rest) < size:
            self._rest += self._part
        data, self._rest = self._rest[:size], self._rest[size:]
        self.taken += len(data)
        assert self.taken < 512 * MIB, "the document is read on and on"
        return data


def problems_of(
    document: BytesIO, format: DocumentFormat, folder: Path
) -> tuple[list[Problem], int]:
    """Return the problems of a document, and the memory that finding them took."""
    settings = settings_with(folder)
    tracemalloc.start()
    with pytest.raises(InvalidRequest) as invalid:
        read_rules(document, format, settings)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return [*invalid.value.problems], peak


@pytest.mark.parametrize(
    ("start", "part", "words", "format"),
    [
        (b'{"rules":[', b"{},", "is missing", "json"),
        (b'{"rules":[', b"0,", "must be an object", "json"),
        (b'{"rules":[', b"[" + b"{}," * 10_001 + b"{}],", "values", "json"),
        (b'{"rules":[{"name":"', b"x", "more than 1024 KiB", "json"),
        (b'{"rules":[[', b"0,", "more than 1024 KiB", "json"),
        (b'{"more":[', b"0,", "more than 1024 KiB", "json"),
        (b'{"', b"x", "more than 1024 KiB", "json"),
        (b'{"0":0', b"", "is missing", "json"),
        (b"[", b"0,", "more than 1024 KiB", "json"),
        (b"rules:\n", b"- {}\n", "is missing", "yaml"),
        (b"rules: [", b"0,", "must be an object", "yaml"),
        (b"rules:\n- name: ", b"x", "more than 1024 KiB", "yaml"),
        (b"rules:\n- ", b"- 0\n  ", "more than 1024 KiB", "yaml"),
        (b"more: ", b"x", "more than 1024 KiB", "yaml"),
        (b"", b"- 0\n", "more than 1024 KiB", "yaml"),
        (b"", b"#" * 99 + b"\n", "more than 1024 KiB", "yaml"),
    ],
)
def test_no_document_is_read_to_its_end_once_it_is_bad(
    tmp_path: Path, start: bytes, part: bytes, words: str, format: str
) -> None:
    if not part:  # members that are all different
        start += b"".join(b',"%d":0' % number for number in range(1, 50_000))
        part = b" "
    document = Endless(start, part)

    problems, peak = problems_of(document, DocumentFormat(format), tmp_path)

    assert len(problems) <= 100
    assert any(words in problem.msg for problem in problems), problems[:3]
    assert document.taken < 8 * MIB or len(problems) == 100 or "values" in words
    assert peak < 80 * MIB


def test_a_rule_may_be_as_large_as_any_other_request(tmp_path: Path) -> None:
    def document(blanks: int) -> BytesIO:
        rule = json.dumps(as_posted())[:-1] + " " * blanks + "}"
        return BytesIO(b'{"rules":[%b,%b]}' % (rule.encode(), rule.encode().replace(b"Shop", b"2")))

    taken = read_rules(
        document(MAX_ITEM_BYTES - 2000), DocumentFormat.JSON, settings_with(tmp_path)
    )
    (problem,), _ = problems_of(document(MAX_ITEM_BYTES), DocumentFormat.JSON, tmp_path)

    assert len(taken) == 2
    assert problem.type == "document"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_characters_that_two_pieces_share_are_read_whole(tmp_path: Path, encoding: str) -> None:
    names = [f"{number} 商城😀" + "é" * 30 for number in range(4000)]
    document = json.dumps({"rules": [as_posted(name=name) for name in names]}, ensure_ascii=False)
    encoded = document.encode(encoding)
    assert len(encoded) > CHUNK_BYTES

    rules = read_rules(BytesIO(encoded), DocumentFormat.JSON, settings_with(tmp_path))

    assert [head.name for head in rules.heads] == names


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('{"rules":[\n\n  {"a":1},\n  {"b" 2}]}', "line 4 column 8"),
        ('{"rules":[] ' + "\n" * 3 * MIB + "x}", f"line {3 * MIB + 1} column 1"),
        ('{"rules":[]' + " " * 3 * MIB + "x}", f"line 1 column {3 * MIB + 12}"),
        ('{"rules":[]} []', "Extra data: line 1 column 14"),
        ('{"rules":[],}', "property name"),
        ('{"rules":[{},]}', "Expecting value: line 1 column 14"),
        ('{"rules":[{}', "Expecting ',' delimiter: line 1 column 13"),
        ("", "Expecting value: line 1 column 1"),
        ("{rules:[]}", "property name"),
    ],
)
def test_the_place_of_a_fault_is_told(tmp_path: Path, document: str, words: str) -> None:
    (problem,), _ = problems_of(BytesIO(document.encode()), DocumentFormat.JSON, tmp_path)

    assert words in problem.msg


async def test_more_rules_than_an_import_takes_are_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imported_rules, "MAX_RULES", 3)
    rules = [as_posted(name=f"Rule {number}") for number in range(4)]

    refused = await client.post("/api/rules/import", json={"rules": rules})
    taken = await client.post("/api/rules/import", json={"rules": rules[:3]})

    assert [item["loc"] for item in refused.json()["detail"]] == [["body", "rules"]]
    assert taken.status_code == 200


@pytest.mark.parametrize(
    ("content", "headers"),
    [(b'{"rules":[' + b"{}," * 200_000 + b"{}]}", JSON), (b"rules:\n" + b"- {}\n" * 200_000, YAML)],
    ids=["json", "yaml"],
)
async def test_bad_items_over_http_take_little_memory(
    client: httpx.AsyncClient, content: bytes, headers: dict[str, str]
) -> None:
    tracemalloc.start()
    answer = await client.post("/api/rules/import", content=content, headers=headers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert answer.status_code == 422
    assert len(answer.json()["detail"]) == 100
    assert peak < 30 * MIB


async def test_a_second_import_at_once_is_refused(client: httpx.AsyncClient) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"rules":'
        begun.set()
        await go_on.wait()
        yield b"[]}"

    first = asyncio.create_task(client.post("/api/rules/import", content=slow(), headers=JSON))
    await begun.wait()
    second = await client.post("/api/rules/import", content=b'{"rules":[]}', headers=JSON)
    go_on.set()

    assert (second.status_code, second.headers["retry-after"]) == (429, "10")
    assert (await first).status_code == 200
    again = await client.post("/api/rules/import", content=b'{"rules":[]}', headers=JSON)
    assert again.status_code == 200
