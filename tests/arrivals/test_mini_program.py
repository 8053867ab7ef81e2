"""The client for mini-programs, with a `wx` of the test and a clock that is moved."""

import json
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.service import Json

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "clients" / "mini-program" / "arrivals.js"
HARNESS = Path(__file__).with_name("mini_program.cjs")
ENTRY = {"scene": 1074, "path": "pages/a", "query": {"ref": "hV3kQ9_x2A"}, "referrerInfo": {}}
SECOND, MINUTE = 1_000, 60_000
# 2,000, 4,000 … milliseconds, 300,000 at most, each after an answer that takes 100.
UNAVAILABLE = [0, 503, 500, 429, 408, 401]

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None, reason="node is not installed: the client is not run"
)


def run(*steps: tuple[str, object]) -> Json:
    """Run the steps; return what was sent, and the ref after each entry."""
    done = subprocess.run(
        ["node", str(HARNESS), str(CLIENT)],
        input=json.dumps(steps),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Json = json.loads(done.stdout)
    return found


def reports(found: Json) -> list[Json]:
    return [report for request in found["sent"] for report in request["data"]["reports"]]


def test_it_is_no_larger_than_two_kilobytes() -> None:
    assert len(CLIENT.read_bytes()) <= 2048


def test_an_entry_is_reported_as_it_was_and_how_long_ago() -> None:
    found = run(("show", ENTRY | {"referrerInfo": {"appId": "wx1"}}), ("wait", SECOND))

    (request,) = found["sent"]
    assert (request["method"], request["url"]) == ("POST", "https://shop.example.com/a")
    assert request["header"] == {"s": "1"}
    (report,) = reports(found)
    assert len(report.pop("id")) >= 12
    assert report == {
        "kind": "launch",
        "ago": SECOND,
        "scene": 1074,
        "path": "pages/a",
        "query": {"ref": "hV3kQ9_x2A"},
        "referrer_appid": "wx1",
    }


def test_an_entry_without_query_and_referrer_is_reported() -> None:
    found = run(("show", {"scene": 1001, "path": "pages/a"}), ("wait", SECOND))

    assert reports(found)[0]["query"] == {}
    assert "referrer_appid" not in reports(found)[0]
    assert found["refs"] == [None]


def test_the_same_entry_within_five_minutes_is_sent_once() -> None:
    again = ("show", ENTRY)
    found = run(
        again,
        ("wait", 4 * MINUTE),
        again,
        ("wait", 2 * MINUTE),
        again,
        ("show", ENTRY | {"scene": 1035}),
        ("wait", MINUTE),
    )

    assert [report["scene"] for report in reports(found)] == [1074, 1074, 1035]


def test_entries_that_wait_are_sent_together_twenty_at_most() -> None:
    shows = [("show", ENTRY | {"path": f"pages/{number}"}) for number in range(25)]
    found = run(*shows, ("wait", MINUTE))

    assert [len(request["data"]["reports"]) for request in found["sent"]] == [20, 5]
    assert [report["path"] for report in reports(found)] == [f"pages/{n}" for n in range(25)]
    assert len({report["id"] for report in reports(found)}) == 25


def test_what_was_not_taken_is_sent_again_as_it_was_with_growing_pauses() -> None:
    found = run(("answers", UNAVAILABLE), ("show", ENTRY), ("wait", 10 * MINUTE))

    ids = {report["id"] for report in reports(found)}
    times = [request["at"] for request in found["sent"]]
    assert len(times) == len(UNAVAILABLE) + 1
    assert len(ids) == 1
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses == [2100, 4100, 8100, 16100, 32100, 64100]
    assert [report["ago"] for report in reports(found)] == times


def test_an_entry_before_somebody_signs_in_is_sent_with_the_next_one() -> None:
    found = run(
        ("signed out", True),
        ("show", ENTRY),
        ("wait", MINUTE),
        ("signed out", False),
        ("show", ENTRY | {"path": "pages/b"}),
        ("wait", MINUTE),
    )

    assert [report["path"] for report in reports(found)] == ["pages/a", "pages/b"]


def test_what_can_not_be_taken_is_not_sent_again() -> None:
    found = run(("answers", [400]), ("show", ENTRY), ("wait", 10 * MINUTE))

    assert len(found["sent"]) == 1


def test_a_restart_sends_what_is_left_once_and_an_entry_sends_at_once() -> None:
    found = run(
        ("answers", [0]),
        ("show", ENTRY),
        ("wait", 1500),
        ("restart", None),
        ("show", ENTRY | {"path": "pages/b"}),
        ("wait", SECOND),
    )

    first, second = found["sent"]
    assert [report["path"] for report in second["data"]["reports"]] == ["pages/a", "pages/b"]
    assert first["data"]["reports"][0]["id"] == second["data"]["reports"][0]["id"]


def test_the_storage_holds_fifty_reports_and_may_be_full() -> None:
    shows = [("show", ENTRY | {"path": f"pages/{number}"}) for number in range(60)]
    kept = run(*shows, ("restart", None), ("show", ENTRY), ("wait", 10 * MINUTE))
    full = run(("full", True), *shows[:3], ("wait", MINUTE))

    assert len(reports(kept)) == 50
    assert len(reports(full)) == 3


def test_a_clock_that_is_set_back_makes_no_time_of_later() -> None:
    found = run(("show", ENTRY), ("clock", -MINUTE), ("wait", 2 * MINUTE))

    assert reports(found)[0]["ago"] == 0


def test_the_ref_of_the_entry_is_at_hand_for_an_order() -> None:
    coded = {"scene": 1047, "path": "pages/a", "query": {"scene": "Ab3kQ9_x2A"}}
    plain = {"scene": 1001, "path": "pages/a", "query": {}}
    found = run(("show", ENTRY), ("show", plain), ("show", coded))

    assert found["refs"] == ["hV3kQ9_x2A", "hV3kQ9_x2A", "Ab3kQ9_x2A"]
