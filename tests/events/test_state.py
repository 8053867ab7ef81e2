"""What is so now comes out the same in whatever order, batches and copies the events arrive."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from app.callback.record import Record
from app.callback.repeated_follows import RETRY_AFTER
from app.db.engine import Database
from app.identity.models import UnionIdSource
from app.identity.unionid_store import UnionIdResult
from app.unionid_resolution.record import record_unionids
from app.users import store
from app.users.remaining_sends import MAX_EVENTS, sends_left
from tests.callback.makers import record, running_inbox
from tests.service import APPID, Json, WorldClock, column, event, rows

UNIONID = "oUNION_of_the_property"
START = datetime(2026, 11, 24, tzinfo=UTC)
TEMPLATES = ("A", "B")

_people = count()


@dataclass(frozen=True)
class Happened:
    """One event. second: after START; details: what tells it from others of its name."""

    second: int
    name: str
    details: Json

    @property
    def items(self) -> list[Json]:
        """The templates it names."""
        found: list[Json] = [*self.details.get("List", [])]
        return found

    def document(self, clock: WorldClock, openid: str) -> Json:
        """As WeChat pushes it: one item alone is no list."""
        at = int(START.timestamp()) + self.second
        details = dict(self.details)
        if len(self.items) == 1:
            details["List"] = self.items[0]
        return event(clock, self.name, openid=openid, **details) | {"CreateTime": at}


def _follow(scene: str | None) -> tuple[str, Json]:
    return "subscribe", {"EventKey": f"qrscene_{scene}"} if scene else {}


def _popup(answers: dict[str, str]) -> tuple[str, Json]:
    items = [
        {"TemplateId": template, "SubscribeStatusString": answer, "PopupScene": "1"}
        for template, answer in answers.items()
    ]
    return "subscribe_msg_popup_event", {"List": items}


def _change(template: str) -> tuple[str, Json]:
    item = {"TemplateId": template, "SubscribeStatusString": "reject"}
    return "subscribe_msg_change_event", {"List": [item]}


def _sent(template: str, error_code: str, number: int) -> tuple[str, Json]:
    item = {"TemplateId": template, "MsgID": str(number), "ErrorCode": error_code}
    return "subscribe_msg_sent_event", {"List": [item]}


template = st.sampled_from(TEMPLATES)
answer = st.sampled_from(["accept", "reject", "ban"])
what = st.one_of(
    st.sampled_from([None, "shop", "street"]).map(_follow),
    st.just(("unsubscribe", {})),
    st.just(("SCAN", {"EventKey": "shop"})),
    st.dictionaries(template, answer, min_size=1).map(_popup),
    template.map(_change),
    st.builds(_sent, template, st.sampled_from(["0", "43101"]), st.integers(1, 3)),
)
happened = st.builds(lambda second, one: Happened(second, *one), st.integers(0, 4), what)


@dataclass(frozen=True)
class Delivery:
    """How a history arrives. order: of the events' indexes, copies included.

    sizes: of the batches; resolve_after: batches before the UnionID is learnt.
    """

    order: list[int]
    sizes: list[int]
    resolve_after: int


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Happened], Delivery]:
    events = draw(st.lists(happened, min_size=1, max_size=10, unique_by=repr))
    copies = draw(st.lists(st.integers(0, len(events) - 1), max_size=4))
    order = draw(st.permutations([*range(len(events)), *copies]))
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    return events, Delivery(order, sizes, draw(st.integers(0, 5)))


def expected(events: Sequence[Happened]) -> tuple[Json | None, dict[str, Json]]:
    """Replay in order and once, the slow and obvious way."""
    follower: Json | None = None
    consents: dict[str, Json] = {}
    for one in sorted(events, key=lambda one: one.second):
        at = START + timedelta(seconds=one.second)
        if one.name in {"subscribe", "unsubscribe"}:
            follower = follower or {"followed_at": None, "unfollowed_at": None, "scene": None}
            follower["following"] = one.name == "subscribe"
            if one.name == "subscribe":
                scene = one.details.get("EventKey", "").removeprefix("qrscene_") or None
                follower |= {"followed_at": at, "scene": scene}
            else:
                follower["unfollowed_at"] = at
        for item in one.items:
            _replay(consents, item, at)
    return follower, consents


def _replay(consents: dict[str, Json], item: Json, at: datetime) -> None:
    status = item.get("SubscribeStatusString")
    if status is None and item["ErrorCode"] != "0":
        return
    known = consents.setdefault(
        item["TemplateId"],
        {"state": None, "decided_at": None, "accepted": 0, "delivered": 0, "left": 0},
    )
    if status is None:
        known["delivered"] += 1
        known["left"] = max(known["left"] - 1, 0)
        return
    known |= {"state": status, "decided_at": at}
    known["accepted"] += status == "accept"
    known["left"] += status == "accept"


def batches(records: Sequence[Record], delivery: Delivery) -> list[list[Record]]:
    """Cut the deliveries; a copy of an event is pushed again later, so it gets other ids."""
    found: list[list[Record]] = []
    seen: set[int] = set()
    rest = [*delivery.order]
    for size in [*delivery.sizes, len(rest)]:
        batch = []
        for index in rest[:size]:
            batch.append(_again(records[index]) if index in seen else records[index])
            seen.add(index)
        found.append(batch)
        del rest[:size]
    return [batch for batch in found if batch]


def _again(one: Record) -> Record:
    entries = tuple(replace(entry, id=uuid7()) for entry in one.subscriptions)
    received_at = one.received_at + RETRY_AFTER
    return replace(one, id=uuid7(), received_at=received_at, subscriptions=entries)


async def learn(database: Database, openid: str) -> None:
    async with database.sessions.begin() as session:
        answers = [UnionIdResult(APPID, openid, UNIONID)]
        await record_unionids(session, answers, source=UnionIdSource.USER_INFO, now=START)


async def check(
    database: Database,
    connection: asyncpg.Connection,
    clock: WorldClock,
    events: Sequence[Happened],
    delivery: Delivery,
) -> None:
    openid = f"oPROPERTY{next(_people)}"
    records = [record(clock, one.document(clock, openid)) for one in events]
    async with running_inbox(database.url) as one, running_inbox(database.url) as other:
        for number, batch in enumerate(batches(records, delivery)):
            if number == delivery.resolve_after:
                await learn(database, openid)
            inbox = (one, other)[number % 2]
            await asyncio.gather(*(inbox.keep(each) for each in batch))
    await learn(database, openid)

    follower, consents = expected(events)
    assert await rows(
        connection,
        "SELECT following, followed_at, unfollowed_at, scene, unionid FROM followers "
        "WHERE openid = $1",
        openid,
    ) == ([] if follower is None else [follower | {"unionid": UNIONID}])
    found = {
        row.pop("template_id"): row
        for row in await rows(
            connection,
            "SELECT template_id, state, decided_at, accepted, delivered, unionid "
            "FROM consents WHERE openid = $1",
            openid,
        )
    }
    left = {name: known.pop("left") for name, known in consents.items()}
    assert found == {name: known | {"unionid": UNIONID} for name, known in consents.items()}
    assert await sends(database, openid) == {
        name: left[name] if known["state"] == "accept" else 0 for name, known in consents.items()
    }
    (kept,) = await rows(connection, COUNTS, openid, UNIONID)
    assert kept == {
        "follow_events": sum(one.name in {"subscribe", "unsubscribe", "SCAN"} for one in events),
        "subscription_events": sum(len(one.items) for one in events),
    }


async def sends(database: Database, openid: str) -> dict[str, int]:
    """Return the sends left by template, as they are told."""
    async with database.sessions() as session:
        consents = await store.consents(session, [(APPID, openid)])
        left = await sends_left(session, consents)
    return {template: number for (_, _, template), number in left.items()}


# As many accepts as deliveries, by turns; after the last delivery three accepts.
LONG_LIFE = """
INSERT INTO subscription_events (id, callback_id, appid, openid, action, template_id, status,
                                 error_code, occurred_at)
SELECT gen_random_uuid(), gen_random_uuid(), $1, 'oPERSON',
       CASE WHEN n % 2 = 0 OR n > $3 THEN 'popup' ELSE 'sent' END, 'A',
       CASE WHEN n % 2 = 0 OR n > $3 THEN 'accept' END,
       CASE WHEN n % 2 = 1 AND n <= $3 THEN '0' END,
       $2::timestamptz + n * interval '1 minute'
FROM generate_series(1, $3 + 2) n
"""

COUNTS = """
SELECT (SELECT count(*) FROM follow_events WHERE openid = $1 AND unionid = $2) AS follow_events,
       (SELECT count(*) FROM subscription_events WHERE openid = $1 AND unionid = $2)
           AS subscription_events
"""


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=histories())
async def test_any_order_batches_and_copies_end_in_the_state_of_in_order_and_once(
    database: Database,
    connection: asyncpg.Connection,
    clock: WorldClock,
    history: tuple[list[Happened], Delivery],
) -> None:
    await check(database, connection, clock, *history)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
async def test_within_one_second_the_later_arrival_decides_whichever_is_stored_first(
    database: Database, connection: asyncpg.Connection, clock: WorldClock, order: list[int]
) -> None:
    events = [Happened(0, *_follow("shop")), Happened(0, "unsubscribe", {})]

    await check(database, connection, clock, events, Delivery(order, [1], 9))


async def test_a_rejection_closes_the_sends_and_a_new_accept_counts_what_was_accepted(
    database: Database, database_url: str, clock: WorldClock
) -> None:
    accept = _popup({"A": "accept"})
    left = []
    async with running_inbox(database_url) as inbox:
        for second, (name, details) in enumerate(
            [accept, accept, _sent("A", "0", 1), _sent("A", "43101", 2), _change("A"), accept]
        ):
            one = Happened(second, name, details)
            await inbox.keep(record(clock, one.document(clock, "oPERSON")))
            left.append((await sends(database, "oPERSON"))["A"])

    assert left == [1, 2, 1, 1, 0, 2]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1]])
async def test_a_delivery_whose_popup_was_not_seen_uses_up_none_of_the_later_ones(
    database: Database, connection: asyncpg.Connection, clock: WorldClock, order: list[int]
) -> None:
    unseen = [Happened(second, *_sent("A", "0", second)) for second in range(2)]
    seen = [Happened(second, *_popup({"A": "accept"})) for second in (2, 3)]

    await check(database, connection, clock, [*unseen, *seen], Delivery(order, [1], 9))

    (openid,) = await column(connection, "SELECT openid FROM consents")
    assert await sends(database, openid) == {"A": 2}


async def test_remaining_sends_of_many_events_come_from_the_latest_ones(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO consents (appid, openid, template_id, state, accepted, delivered) "
        "VALUES ($1, 'oPERSON', 'A', 'accept', $2 - 7, $2)",
        APPID,
        3 * MAX_EVENTS,
    )
    await connection.execute(LONG_LIFE, APPID, START, 6 * MAX_EVENTS)
    await connection.execute("VACUUM ANALYZE subscription_events")

    assert await sends(database, "oPERSON") == {"A": 3}


async def test_processes_that_count_one_persons_sends_at_once_lose_none(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    accepts = [Happened(second, *_popup({"A": "accept"})) for second in range(40)]
    deliveries = [Happened(second, *_sent("A", "0", second)) for second in range(15)]
    records = [record(clock, one.document(clock, "oPERSON")) for one in accepts + deliveries]
    async with (
        running_inbox(database_url) as one,
        running_inbox(database_url) as two,
        running_inbox(database_url) as three,
    ):
        inboxes = (one, two, three)
        await asyncio.gather(
            *(inboxes[number % 3].keep(each) for number, each in enumerate(records))
        )

    assert await rows(connection, "SELECT accepted, delivered FROM consents") == [
        {"accepted": 40, "delivered": 15}
    ]
