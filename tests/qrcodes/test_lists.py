"""Many codes by one call: each is made once, whatever happens meanwhile."""

import asyncio
import csv
import io
import zipfile
from collections import Counter
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.engine import open_database
from app.links import renewable
from app.qrcodes import renew as qrcodes
from app.qrcodes.list_csv import MAX_BYTES, MAX_CODES, BadList, ListedCode, read_list
from app.settings import Settings
from app.worker import Jobs
from tests.qrcodes.makers import CREATE, added, listed, renewed
from tests.service import CARD_APPID, Json, Service, WeChat, WorldClock, column, jobs_of, running
from tests.waiting import eventually

THREE = 'name,scene\n北京店,store_1\n=2+3,\n\n"Shanghai, centre",store_3\n'


async def queued_ids(connection: asyncpg.Connection) -> list[str]:
    return list(
        await column(
            connection,
            "SELECT convert_from(payload, 'utf8')::jsonb ->> 'qrcode_id' FROM pgqueuer "
            "WHERE entrypoint = 'qrcodes.renew' ORDER BY id",
        )
    )


async def progress(service: Service, found: Json) -> tuple[int, int, int]:
    """Return how many are made, refused and waiting."""
    read = await service.read(f"qrcodes/lists/{found['id']}")
    return read["made"], read["refused"], read["waiting"]


async def unanswered(service: Service, found: Json) -> int:
    number: int = (await service.read(f"qrcodes/lists/{found['id']}"))["unanswered"]
    return number


async def test_a_list_is_made_and_downloaded(
    service: Service,
    jobs: Jobs,
    wechat: WeChat,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    answer = await listed(service, THREE, scene_prefix="store_", kind="permanent")
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert (found["total"], found["waiting"]) == (3, 3)
    first, second, third = await queued_ids(connection)
    wechat.strike(CREATE, errcode=40053, count=1)
    wechat.strike(CREATE, drop="before", count=1)
    for one in (third, first):
        await renewed(jobs, {"id": one})
    assert await progress(service, found) == (0, 1, 1)
    assert await unanswered(service, found) == 1
    clock.advance(timedelta(seconds=5))
    for one in (first, second):
        await renewed(jobs, {"id": one})
    assert await progress(service, found) == (2, 1, 0)
    assert await unanswered(service, found) == 0

    codes = (await service.read("qrcodes", list_id=found["id"]))["items"]
    names = {code["scene"]: code["name"] for code in codes}
    assert names.pop("store_1") == "北京店"
    assert names.pop("store_3") == "Shanghai, centre"
    ((drawn, name),) = names.items()
    assert (drawn.startswith("store_"), len(drawn), name) == (True, 18, "=2+3")

    path = f"qrcodes/lists/{found['id']}/pictures"
    pictures = await service.api("GET", path, params={"with_name": 1})
    with zipfile.ZipFile(io.BytesIO(pictures.content)) as archive:
        assert archive.read("0001-store_1.png").startswith(b"\x89PNG")
    pictures = await service.api("GET", path, params={"format": "svg", "with_name": 1})
    assert pictures.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(pictures.content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["0001-store_1.svg", f"0002-{drawn}.svg", "codes.csv"]
        assert "北京店" in archive.read("0001-store_1.svg").decode()
        rows = list(csv.reader(io.StringIO(archive.read("codes.csv").decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["file", "0001-store_1.svg", f"0002-{drawn}.svg", ""]
    assert [row[1] for row in rows[1:]] == ["北京店", "'=2+3", "Shanghai, centre"]
    assert [row[4] for row in rows[1:]] == ["live", "live", "refused"]
    (count,) = (await service.read("qrcodes/permanent"))["items"]
    assert count["count"] == 3


async def test_two_processes_that_send_the_same_list_at_once_make_it_once(
    service: Service, settings: Settings, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    async with running(settings, clock) as other:
        answers = await asyncio.gather(
            *(listed(one, THREE, key="spring") for one in (service, other, service, other))
        )

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await column(connection, "SELECT count(*) FROM qrcodes") == [3]
    assert await column(connection, "SELECT count FROM qrcode_counts") == [3]
    assert len(await queued_ids(connection)) == 3
    changed = await listed(service, "name\nOther\n", key="spring")
    assert changed.status_code == 409
    assert "the key spring" in changed.json()["detail"]


async def test_of_two_lists_with_the_same_scenes_one_is_refused_as_a_whole(
    service: Service, settings: Settings, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    scenes = [f"s{number}" for number in range(50)]
    lists = [
        "name,scene\n" + "".join(f"a,{scene}\n" for scene in order)
        for order in (scenes, reversed(scenes))
    ]
    async with running(settings, clock) as other:
        answers = await asyncio.gather(listed(service, lists[0]), listed(other, lists[1]))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await column(connection, "SELECT count(*) FROM qrcodes") == [50]
    assert await column(connection, "SELECT count FROM qrcode_counts") == [50]
    (refused,) = [one.json()["detail"] for one in answers if one.status_code == 409]
    assert "s0, s1, s10" in refused
    assert "and 30 others" in refused


async def test_a_worker_that_is_killed_in_the_middle_of_a_list_makes_no_code_twice(
    service: Service,
    jobs: Jobs,
    settings: Settings,
    wechat: WeChat,
    clock: WorldClock,
    connection: asyncpg.Connection,
    database_url: str,
) -> None:
    found = (await listed(service, "\n".join(f"Store {n}" for n in range(20)))).json()
    ids = await queued_ids(connection)
    for one in ids[:7]:
        await renewed(jobs, {"id": one})
    wechat.strike(CREATE, latency_seconds=60, count=1)
    run = asyncio.create_task(renewed(jobs, {"id": ids[7]}))

    async def is_claimed() -> bool:
        return bool(await column(connection, "SELECT 1 FROM qrcodes WHERE lease IS NOT NULL"))

    await eventually(is_claimed)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert await progress(service, found) == (7, 0, 13)
    wechat.state.faults.active.clear()

    await connection.execute("DELETE FROM pgqueuer")
    clock.advance(renewable.LEASE)
    await qrcodes.sweep(jobs.database.sessions, clock)
    again = await queued_ids(connection)
    assert sorted(again) == sorted(ids[7:])
    other_database = open_database(database_url)
    other = jobs_of(settings, other_database, wechat)
    await asyncio.gather(*(renewed(one, {"id": code}) for code in ids for one in (jobs, other)))
    await other_database.close()

    assert await progress(service, found) == (20, 0, 0)
    assert set(Counter(one.scene for one in wechat.state.qrcodes.made).values()) == {1}
    assert len(wechat.state.qrcodes.made) == 20


@pytest.mark.parametrize(
    ("content", "query", "member", "word"),
    [
        ("", {}, "csv", "holds no code"),
        ("name,scene\n", {}, "csv", "holds no code"),
        (b"\xb1\xb1\xbe\xa9", {}, "csv", "UTF-8"),
        ('"a', {}, "csv", "line 1"),
        ("a,b,c", {}, "csv", "more than 2 columns"),
        ("name,colour\na,red", {}, "csv", "columns are name and scene"),
        ("name,name\na,b", {}, "csv", "at most once"),
        (",store_1", {}, "csv", "line 1: a name has 1 to 100"),
        ("a\n" + "b" * 101, {}, "csv", "line 2: a name has 1 to 100"),
        ("a,b c", {}, "csv", "line 1: a scene has 1 to 64"),
        ("a,qrscene_1", {}, "csv", "qrscene_"),
        ("a,s\nb,t\nc,s", {}, "csv", "line 3: has the scene of line 1"),
        ("a\n" * (MAX_CODES + 1), {}, "csv", "more than 1000 codes"),
        ("a", {"appid": CARD_APPID}, "appid", "WECHAT_APPSECRET"),
        ("a", {"scene_prefix": "qrscene_"}, "scene_prefix", "qrscene_"),
        ("a", {"scene_prefix": "a" * 53}, "scene_prefix", ""),
        ("a", {"key": "a b"}, "key", ""),
        ("a", {"kind": "eternal"}, "kind", ""),
    ],
)
async def test_a_list_that_can_not_be_made_is_refused(
    service: Service, content: str | bytes, query: dict[str, str], member: str, word: str
) -> None:
    answer = await listed(service, content, **query)

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert member in problem["loc"]
    assert word in problem["msg"]


async def test_a_list_has_a_bound_and_is_csv(service: Service) -> None:
    assert (await listed(service, "a" * (MAX_BYTES + 1))).status_code == 413
    assert (await service.api("POST", "qrcodes/lists", json={})).status_code == 415
    await added(service, scene="store_1")
    answer = await listed(service, THREE)
    assert answer.status_code == 409
    assert "store_1" in answer.json()["detail"]
    page = await service.read("qrcodes")
    assert len(page["items"]) == 1


NAMES = st.text(
    st.characters(
        min_codepoint=33, max_codepoint=0x9FFF, exclude_categories=["Cc", "Zs", "Zl", "Zp"]
    ),
    min_size=1,
    max_size=20,
).filter(lambda name: name.lower() not in ("name", "scene") and not name.isspace())


@given(st.lists(NAMES, min_size=1, max_size=20), st.booleans(), st.booleans())
def test_what_a_spreadsheet_writes_is_read(names: list[str], header: bool, mark: bool) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    if header:
        writer.writerow(["Name", "Scene"])
    writer.writerows([name, f"s{number}"] for number, name in enumerate(names))
    content = text.getvalue().encode("utf-8-sig" if mark else "utf-8")

    assert read_list(content) == [
        ListedCode(name, f"s{number}") for number, name in enumerate(names)
    ]


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        codes = read_list(content)
    except BadList:
        return
    assert 1 <= len(codes) <= MAX_CODES
    assert all("\x00" not in code.name and code.name for code in codes)
