"""The pool of codes is filled from a file, or by codes that are drawn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from unittest.mock import patch

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codes import add as adding
from app.codes import import_store, receive
from app.codes.code_text import ALPHABET, drawn_codes, is_code
from app.codes.errors import BadCodes
from app.codes.read_csv import MAX_LINE, MAX_PROBLEMS, CodeReader
from app.db.engine import Database
from app.worker import Jobs
from tests.campaigns.makers import added, imported, sent_file
from tests.service import ADMIN_TOKEN, Json, Service, column

MANY = [f"CODE-{number:04}" for number in range(25)]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file of some codes have several parts."""
    for module in (receive, adding):
        monkeypatch.setattr(module, "PART_CODES", 10)


async def stored(connection: asyncpg.Connection) -> list[str]:
    return list(await column(connection, "SELECT code FROM campaign_codes ORDER BY code"))


async def test_a_file_is_added_once_however_often_it_is_sent(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)

    first = await imported(service, jobs, campaign, "code", *MANY, MANY[0])
    again = await imported(service, jobs, campaign, *MANY)

    assert (first["state"], first["total"], first["added"], first["present"]) == ("done", 26, 25, 1)
    assert (again["added"], again["present"]) == (0, 25)
    assert await stored(connection) == MANY
    listed = (await service.read(f"campaigns/{campaign['id']}/codes/imports"))["items"]
    assert listed == [again, first]


async def test_a_worker_that_dies_goes_on_where_the_last_part_ended(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    answer = await sent_file(service, campaign, "\n".join(MANY))
    path = f"campaigns/{campaign['id']}/codes/imports/{answer.json()['id']}"
    payload = {"import_id": answer.json()["id"]}
    parts = 0

    async def killed(*arguments: object) -> bool:
        nonlocal parts
        parts += 1
        if parts == 3:
            raise ConnectionResetError
        return await add_part(*arguments)  # type: ignore[arg-type]

    add_part = adding.add_part
    with patch.object(adding, "add_part", killed), pytest.raises(ConnectionResetError):
        await jobs.add_codes(payload)
    found = await service.read(path)
    assert (found["state"], found["added"]) == ("running", 20)

    await jobs.sweep()  # it enqueues the job again
    await asyncio.gather(*(jobs.add_codes(payload) for _ in range(3)))

    found = await service.read(path)
    assert (found["state"], found["added"], found["present"]) == ("done", 25, 0)
    assert await stored(connection) == MANY
    assert await column(connection, "SELECT count(*) FROM code_import_parts") == [0]


async def test_of_a_file_with_a_mistake_nothing_is_left(
    service: Service, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)

    answer = await sent_file(service, campaign, "\n".join([*MANY, "a b", "ok-1", "x" * 65]))

    assert answer.status_code == 422
    assert [problem["msg"].partition(":")[0] for problem in answer.json()["detail"]] == [
        "line 26",
        "line 28",
    ]
    for table in ("campaign_codes", "code_imports", "code_import_parts"):
        assert await column(connection, f"SELECT count(*) FROM {table}") == [0]  # noqa: S608


async def test_a_sender_that_stops_leaves_nothing(
    service: Service, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)

    async def half() -> AsyncIterator[bytes]:
        yield "\n".join(MANY).encode()
        raise ConnectionResetError

    answer = await service.http.post(
        f"/api/campaigns/{campaign['id']}/codes/imports",
        headers={"authorization": f"Bearer {ADMIN_TOKEN}", "content-type": "text/csv"},
        content=half(),
    )
    assert answer.status_code >= 400
    for table in ("campaign_codes", "code_imports", "code_import_parts"):
        assert await column(connection, f"SELECT count(*) FROM {table}") == [0]  # noqa: S608


async def test_a_file_that_never_arrived_is_forgotten(
    service: Service, jobs: Jobs, database: Database, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    async with database.sessions.begin() as session:
        import_id = await import_store.begin_file(session, campaign["id"], service.clock.now())
    async with database.sessions.begin() as session:
        await import_store.add_part(session, import_id, 0, MANY)
    await jobs.sweep()
    assert await column(connection, "SELECT count(*) FROM code_imports") == [1]

    service.clock.advance(2 * import_store.RECEIVED_WITHIN)
    await jobs.sweep()

    assert await column(connection, "SELECT count(*) FROM code_import_parts") == [0]


async def test_codes_are_drawn_once_for_a_key(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    path = f"campaigns/{campaign['id']}/codes/drawn"
    wanted: Json = {"count": 25, "key": "first", "prefix": "S-", "length": 12}

    answers = await asyncio.gather(*(service.api("POST", path, json=wanted) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {202}
    (import_id,) = {answer.json()["id"] for answer in answers}
    await asyncio.gather(*(jobs.add_codes({"import_id": import_id}) for _ in range(2)))

    found = await stored(connection)
    assert len(found) == 25
    assert all(code.startswith("S-") and len(code) == 14 and is_code(code) for code in found)
    other = await service.api("POST", path, json=wanted | {"count": 26})
    assert other.status_code == 409
    assert "the key first" in other.json()["detail"]
    assert (await service.read(f"campaigns/{campaign['id']}"))["codes_left"] == 25


async def test_a_drawn_code_that_the_pool_has_is_drawn_again(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    await imported(service, jobs, campaign, "AAAA")
    wanted: Json = {"count": 2, "key": "k", "length": 12}
    answer = await service.api("POST", f"campaigns/{campaign['id']}/codes/drawn", json=wanted)
    draws = iter([["AAAA", "BBBB"], ["CCCC"]])

    with patch.object(adding, "drawn_codes", lambda *_: next(draws, [])):
        await jobs.add_codes({"import_id": answer.json()["id"]})

    assert await stored(connection) == ["AAAA", "BBBB", "CCCC"]


async def test_a_pool_has_a_bound(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_store, "MAX_POOL", 25)
    campaign = await added(service)
    assert (await sent_file(service, campaign, "\n".join(MANY[:20]))).status_code == 202

    too_many = await sent_file(service, campaign, "\n".join(MANY[:6]))
    drawn = await service.api(
        "POST", f"campaigns/{campaign['id']}/codes/drawn", json={"count": 6, "key": "k"}
    )

    assert (too_many.status_code, drawn.status_code) == (409, 409)
    assert (await sent_file(service, campaign, "\n".join(MANY[20:]))).status_code == 202
    json = await service.http.post(
        f"/api/campaigns/{campaign['id']}/codes/imports",
        headers={"authorization": f"Bearer {ADMIN_TOKEN}"},
        json={},
    )
    assert json.status_code == 415


def read(content: bytes, size: int = 7) -> list[str]:
    reader = CodeReader()
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    codes = [code for piece in pieces for code in reader.feed(piece)]
    return codes + reader.end()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("AAAA\nBBBB", ["AAAA", "BBBB"]),
        ("\ufeffcode\r\nAAAA\r\n\r\n  BBBB  \r\n", ["AAAA", "BBBB"]),
        ('batch,Code\n1,"AAAA"\n"2, of 3",BBBB\n', ["AAAA", "BBBB"]),
        ("AAAA,first\nBBBB,second\n", ["AAAA", "BBBB"]),
        ("code\ncode\n", ["code"]),
    ],
)
def test_a_file_has_a_code_on_each_line(text: str, codes: list[str]) -> None:
    assert read(text.encode()) == codes


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "holds no code"),
        (b"code\n\n", "holds no code"),
        (b"abc", "line 1: a code has 4 to 64"),
        ("编码一二".encode(), "line 1: a code has"),
        (b"AAAA\n\xff\xfe", "not UTF-8"),
        (b"A" * (MAX_LINE + 1), "line 1: is longer"),
        (b'AAAA\n"BB', "line 2"),
        (b"batch,code\n1\n", "line 2: a code has"),
        (b"x\n" * 500, f"line {MAX_PROBLEMS}"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content: bytes, word: str) -> None:
    with pytest.raises(BadCodes) as raised:
        read(content, 4096)
    assert word in str(raised.value)
    assert len(raised.value.problems) <= MAX_PROBLEMS


def test_a_file_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.codes.read_csv.MAX_CODES", 3)
    with pytest.raises(BadCodes, match="split the file"):
        read(b"AAAA\nBBBB\nCCCC\nDDDD")


@given(
    st.lists(st.from_regex(r"[A-Za-z0-9._~-]{4,64}", fullmatch=True), min_size=1),
    st.integers(1, 99),
)
def test_however_a_file_is_cut_its_codes_are_the_same(codes: list[str], size: int) -> None:
    expected = codes[1:] if codes[0].lower() == "code" else codes
    if expected:
        assert read("\n".join(codes).encode(), size) == expected


@given(st.binary(max_size=300), st.integers(1, 99))
def test_any_file_is_read_or_refused(content: bytes, size: int) -> None:
    with suppress(BadCodes):
        assert all(is_code(code) for code in read(content, size))


def test_drawn_codes_use_all_characters_alike() -> None:
    codes = drawn_codes(2000, "S-", 12)
    letters = "".join(code.removeprefix("S-") for code in codes)
    assert len(set(codes)) == 2000
    assert set(letters.encode()) == set(ALPHABET)
    assert max(letters.count(chr(one)) for one in ALPHABET) < 3 * len(letters) / len(ALPHABET)
