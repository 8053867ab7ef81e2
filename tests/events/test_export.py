"""Exports hold what the lists hold, row by row, and memory one page of it."""

import codecs
import csv
import io
import json

import asyncpg
import pytest

from app.csv_rows import FORMULA_STARTS
from app.events import export, serialize
from app.events.query import FOLLOWERS, ListQuery
from app.events.schemas import FollowerOut
from tests.service import Json, Service, event

PATHS = ("follow-events", "subscription-events", "followers")
POPUP = {
    "List": [
        {"TemplateId": 'A,"1"', "SubscribeStatusString": "accept", "PopupScene": "1"},
        {"TemplateId": "B", "SubscribeStatusString": "reject", "PopupScene": "1"},
    ]
}

OPEN_TRANSACTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
  AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""


async def some_people(service: Service) -> None:
    for number in range(7):
        openid = f"oPERSON{number}"
        await service.push(event(service.clock, "subscribe", openid=openid, EventKey="qrscene_7"))
        await service.push(
            event(service.clock, "subscribe_msg_popup_event", openid=openid, **POPUP)
        )


async def exported(service: Service, path: str, **query: str) -> str:
    answer = await service.api("GET", f"{path}/export", params=query)
    assert answer.status_code == 200, answer.text
    mark = codecs.BOM_UTF8 if query["format"] == "csv" else b""
    assert answer.content.startswith(mark)
    assert answer.content.count(codecs.BOM_UTF8) == bool(mark)
    return answer.content.removeprefix(mark).decode()


def cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


@pytest.mark.parametrize("path", PATHS)
async def test_an_export_is_the_list_in_either_format_however_many_pages_it_takes(
    service: Service, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 3)
    await some_people(service)
    items: list[Json] = (await service.read(path))["items"]

    lines = (await exported(service, path, format="jsonl")).splitlines()
    table = csv.DictReader(io.StringIO(await exported(service, path, format="csv"), newline=""))

    assert [json.loads(line) for line in lines] == items
    assert [*table] == [{name: cell(value) for name, value in item.items()} for item in items]


@pytest.mark.parametrize("path", PATHS)
async def test_an_export_of_nothing_is_an_empty_file_with_its_column_names(
    service: Service, path: str
) -> None:
    assert await exported(service, path, format="jsonl") == ""
    assert (await exported(service, path, format="csv")).count("\r\n") == 1


async def test_an_export_takes_the_filters_of_the_list(service: Service) -> None:
    await some_people(service)

    lines = (await exported(service, "followers", format="jsonl", openid="oPERSON3")).splitlines()

    assert [json.loads(line)["openid"] for line in lines] == ["oPERSON3"]


@pytest.mark.parametrize("query", [{}, {"format": "xml"}, {"format": "csv", "from": "today"}])
async def test_an_export_that_cannot_be_written_is_refused(service: Service, query: Json) -> None:
    assert (await service.api("GET", "follow-events/export", params=query)).status_code == 422


async def test_an_export_holds_no_transaction_open_between_two_pages(
    service: Service, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    await some_people(service)
    told = export.ExportSpec(FOLLOWERS, serialize.followers, FollowerOut)

    answer = await export.export(
        service.app.state.database.sessions, told, ListQuery(limit=2), export.Format.JSONL
    )

    lines = 0
    async for chunk in answer.body_iterator:
        lines += len(str(chunk).splitlines())
        assert await connection.fetchval(OPEN_TRANSACTIONS) == 0
    assert lines == 7


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", " =", "\u3000\xa0+"]
)
async def test_a_cell_of_csv_is_never_a_formula_and_json_lines_are_exact(
    service: Service, connection: asyncpg.Connection, start: str
) -> None:
    text = start + 'HYPERLINK("http://example.com")'
    await service.push(event(service.clock, "subscribe"))
    await connection.execute("UPDATE follow_events SET unionid = $1, scene = $1", text)

    line = json.loads(await exported(service, "follow-events", format="jsonl"))
    table = await exported(service, "follow-events", format="csv")

    assert (line["unionid"], line["scene"]) == (text, text)
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert (row["unionid"], row["scene"]) == (f"'{text}", f"'{text}")
    assert not any((value or "").lstrip().startswith(FORMULA_STARTS) for value in row.values())
