"""A package writes its own tables alone, and reads those of its own and of packages below it.

A table belongs to the package whose `models` defines it. Which package is below which stands in
the import contract of pyproject.toml.
"""

import importlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.db.base import Base
from tests.sql_tables import Model, Use, use_of_module, use_of_sql

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "app"
PGQUEUER = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
TRIGGER = re.compile(r"\bON\s+(\w+)\s.*?EXECUTE\s+FUNCTION\s+(\w+)", re.DOTALL)


@dataclass(frozen=True)
class Foreign:
    """Tables that a file writes or reads and that are not its package's own or below it."""

    writes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    why: str = field(default="", compare=False)


EXCEPTIONS = {
    "app/callback/insert_sql.py": Foreign(
        why="the group commit: one statement stores a callback with all that follows from it",
        writes=frozenset({"openids", "late_pushes", "replies", "send_windows"})
        | {"follow_events", "followers", "subscription_events", "consents", "menu_taps"},
    ),
    "app/callback/cooldowns.py": Foreign(
        why="a rule's cooldown is claimed in the transaction of the group commit",
        writes=frozenset({"rule_firings"}),
    ),
    "app/db/sql/oa_bridge_rule_weight.sql": Foreign(
        why="it reads nothing: it takes a row of rules from their trigger, and names its type",
        reads=frozenset({"rules"}),
    ),
    "app/db/sql/oa_bridge_identity_learned.sql": Foreign(
        why="a trigger on openids tells webhooks of a UnionID, whichever way it is learned",
        writes=frozenset({"identity_events"}),
    ),
    "app/db/sql/oa_bridge_follow_event_changed.sql": Foreign(
        why="a trigger on follow_events notes what was counted, whoever changes it",
        writes=frozenset({"counted_follow_events"}),
    ),
    "app/db/sql/oa_bridge_how_changed.sql": Foreign(
        why="a trigger on followers notes what was counted, whoever changes it",
        writes=frozenset({"counted_hows"}),
    ),
    "app/db/sql/oa_bridge_callback_marked.sql": Foreign(
        why="a trigger on callbacks tells the funnel of one that is stored late",
        writes=frozenset({"funnel_marks"}),
    ),
    "app/db/sql/oa_bridge_reply_marked.sql": Foreign(
        why="a trigger on replies tells the funnel of one that was sent, whoever sends it",
        writes=frozenset({"funnel_marks"}),
    ),
    "app/db/sql/oa_bridge_notice_marked.sql": Foreign(
        why="a trigger on notices tells the funnel of one that was sent, whoever sends it",
        writes=frozenset({"funnel_marks"}),
    ),
    "app/ops/stored_secrets.py": Foreign(
        why="readiness says which secrets are in clear or unreadable, those of alarms as well",
        reads=frozenset({"alarm_receivers"}),
    ),
    "app/funnel/touches_sql.py": Foreign(
        why="a push is a touch, and the statement that makes it one reads thousands",
        reads=frozenset({"callbacks"}),
    ),
    "app/funnel/count.py": Foreign(
        why="its cursor goes through the pushes",
        reads=frozenset({"callbacks"}),
    ),
    "app/funnel/cohorts_sql.py": Foreign(
        why="a message shows that a follower writes, and one statement asks about thousands",
        reads=frozenset({"callbacks"}),
    ),
    "app/rules/follower_reader.py": Foreign(
        why="a callback waits for it: one query for all that conditions ask about a follower",
        reads=frozenset({"followers"}),
    ),
    "app/replies/erase.py": Foreign(
        why="a reply goes if the push that it answers is from before what is erased",
        reads=frozenset({"callbacks"}),
    ),
    "app/replies/ledger.py": Foreign(
        why="when sends are scarcer than replies, the present priority of the rules decides",
        reads=frozenset({"rules"}),
    ),
    "app/replies/message_window.py": Foreign(
        why="a message opens no window any more once its follower has left",
        reads=frozenset({"followers"}),
    ),
    "app/replies/send_batches.py": Foreign(
        why="the same, for many replies at once",
        reads=frozenset({"rules"}),
    ),
    "app/replies/store.py": Foreign(
        why="of the replies that yielded, those of the highest priority are sent first",
        reads=frozenset({"rules"}),
    ),
    "app/replies/passive_store.py": Foreign(
        why="a passive reply is stored once, with the push in whose response it went",
        reads=frozenset({"callbacks"}),
    ),
    "app/arrivals/find_refs.py": Foreign(
        why="a passive reply, which a ref may lead to, is stored with its push alone",
        reads=frozenset({"callbacks"}),
    ),
    "app/arrivals/find_last.py": Foreign(
        why="a text with a link that was sent last may be a passive reply",
        reads=frozenset({"callbacks"}),
    ),
    "app/arrivals/list_store.py": Foreign(
        why="a step of the funnel leads to the arrivals that it counts, by door and day",
        reads=frozenset({"funnel_touches"}),
    ),
    "app/campaigns/running.py": Foreign(
        why="which button was tapped stands in the push of the tap alone",
        reads=frozenset({"callbacks"}),
    ),
    "app/events/activity.py": Foreign(
        why="a push shows that a person is active, and one statement asks about thousands",
        reads=frozenset({"callbacks"}),
    ),
    "app/notices/settle.py": Foreign(
        why="what WeChat reports of a delivery stands in its push, which its job names",
        reads=frozenset({"callbacks"}),
    ),
    "app/privacy/mentions.py": Foreign(
        why="an id may stand in pushes alone, and the API has no inbox to hand in",
        reads=frozenset({"callbacks"}),
    ),
    "app/users/store.py": Foreign(
        why="the latest pushes are a part of what `/api/users` returns of a person",
        reads=frozenset({"callbacks"}),
    ),
}


def models() -> dict[str, Model]:
    """Every mapped class by its full name."""
    for path in APP.rglob("models.py"):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return {
        f"{mapper.class_.__module__}.{mapper.class_.__name__}": Model(
            mapper.class_.__module__,
            mapper.class_.__name__,
            mapper.class_.__tablename__,
        )
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith("app.")
    }


MODELS = models()
OWNERS = {model.table: model.module.split(".")[1] for model in MODELS.values()} | dict.fromkeys(
    PGQUEUER, "db"
)
TABLES = {name: frozenset(table.columns.keys()) for name, table in Base.metadata.tables.items()}
TABLES |= dict.fromkeys(PGQUEUER, frozenset())


def ranks() -> dict[str, int]:
    """How far down each package is, as import-linter holds it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [
        one["layers"] for one in contracts["contracts"] if one.get("containers") == ["app"]
    ]
    return {
        name.strip(): number for number, layer in enumerate(layers) for name in layer.split("|")
    }


RANKS = ranks()


def foreign(room: str, use: Use) -> Foreign:
    """Return what a room uses that is not its own or below it."""
    others = {table for table in use.writes | use.reads if OWNERS[table] != room}
    return Foreign(
        writes=frozenset(use.writes & others),
        reads=frozenset(
            table for table in others - use.writes if RANKS[OWNERS[table]] <= RANKS[room]
        ),
    )


def files() -> Iterator[tuple[str, str, Use]]:
    """Every file with its room and its use of tables.

    A function of the database belongs to the table whose trigger calls it, and otherwise to `db`.
    """
    for path in sorted(APP.rglob("*.py")):
        place = path.relative_to(APP)
        use = use_of_module(path.read_text(), TABLES, MODELS)
        yield f"app/{place}", place.parts[0].removesuffix(".py"), use
    texts = {path: path.read_text() for path in sorted(APP.rglob("*.sql"))}
    callers = {
        function: OWNERS[table]
        for text in texts.values()
        for table, function in TRIGGER.findall(text)
    }
    for path, text in texts.items():
        own = TRIGGER.search(text)
        room = OWNERS[own[1]] if own else callers.get(path.stem, "db")
        yield str(path.relative_to(ROOT)), room, use_of_sql(text, TABLES)


FILES = [(name, room, use) for name, room, use in files() if room != "__init__"]


def test_every_table_has_an_owner_with_a_place_among_the_layers() -> None:
    assert set(OWNERS.values()) <= RANKS.keys()
    assert OWNERS.keys() == TABLES.keys()


def test_files_use_tables_that_are_their_own_or_below_and_no_exception_is_idle() -> None:
    used = {name: foreign(room, use) for name, room, use in FILES}

    assert {name: found for name, found in used.items() if found != Foreign()} == EXCEPTIONS


def test_every_exception_says_why() -> None:
    assert all(one.why for one in EXCEPTIONS.values())


def test_every_statement_says_which_table_it_writes() -> None:
    assert {name: use.unclear for name, _, use in FILES if use.unclear} == {}


WRITES = [
    'text("INSERT INTO followers (appid) VALUES (1)")',
    'text("UPDATE ONLY followers SET how = NULL")',
    'text("WITH gone AS (DELETE FROM public.followers RETURNING 1) SELECT FROM gone")',
    "text('UPDATE \"followers\" SET how = NULL')",
    'text(f"UPDATE followers f {REST}")',
    '[text(f"UPDATE {table} SET how = NULL") for table in ("followers",)]',
    '"UPDATE {table} SET how = NULL".format(table="followers")',
    'text("DELETE FROM " + "followers")',
    'text("SELECT 1 FOR UPDATE; TRUNCATE followers")',
    "from app.events.models import Follower\nupdate(Follower)",
    "from app.events.models import Follower as Known\nsqlalchemy.delete(Known)",
    "from app.events.models import Follower\nsession.add(Follower(appid='a'))",
    "from app.events import models\nsession.add(models.Follower(appid='a'))",
    "from app.events.models import Follower\nasync def f(row: Follower): row.following = False",
    'rows = table("followers")\ninsert(rows)',
]


@pytest.mark.parametrize("source", WRITES)
def test_a_write_is_seen_in_whatever_form_it_is_made(source: str) -> None:
    use = use_of_module(source, TABLES, MODELS)

    assert use.writes == {"followers"}
    assert foreign("identity", use).writes == {"followers"}
    assert foreign("events", use).writes == set()


READS = [
    'text("SELECT replies FROM rules, followers")',
    'text("SELECT 1 FROM openids, followers FOR UPDATE OF followers")',
    'text("SELECT EXISTS (SELECT FROM followers)")',
    'text(f"SELECT 1 FROM {OTHER} JOIN followers USING (appid)")',
    'text("INSERT INTO openids SELECT 1 ON CONFLICT DO UPDATE SET a = (SELECT 1 FROM followers)")',
    "from app.events.models import Follower\nselect(Follower)",
    'rows = table("followers")\nselect(rows)',
]


@pytest.mark.parametrize("source", READS)
def test_a_read_is_seen_and_is_no_write(source: str) -> None:
    use = use_of_module(source, TABLES, MODELS)

    assert "followers" not in use.writes
    assert "followers" in foreign("identity", use).reads
    assert "followers" in foreign("rules", use).reads
    assert foreign("stats", use).reads == set()


def test_a_statement_whose_table_nobody_can_tell_is_named() -> None:
    assert use_of_module('text(f"UPDATE {table} SET a = 1")', TABLES, MODELS).unclear


def test_a_column_with_the_name_of_a_table_is_no_table() -> None:
    assert use_of_module('text("SELECT replies FROM rules")', TABLES, MODELS).reads == {"rules"}


def test_prose_names_no_table() -> None:
    use = use_of_module('"""We UPDATE followers."""\nerror = "no followers here"', TABLES, MODELS)

    assert use == Use()
