"""Shows the rules in the tabs that operators know; switches, moves and deletes one of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.callback import rule_hits
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.render import render
from app.console.rules import changes, field_labels
from app.console.rules.conflict_cache import WAIT_SECONDS, ConflictCache
from app.console.rules.labels import CONFLICTS
from app.console.rules.notices import notice_of
from app.console.rules.router import router
from app.console.rules.tabs import TABS, tab_of, words_of
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.db.session import SessionDep
from app.rules import store
from app.rules.conflicts.detect import Conflict
from app.rules.definition.accounts import receiving_accounts
from app.rules.definition.schemas import MAX_PRIORITY, MIN_PRIORITY, RuleIn, RuleOut
from app.rules.editing import edit
from app.rules.list_order import ListOrder
from app.rules.list_store import RuleFilter
from app.rules.matching.precedence import SortKey

PAGE_ROWS: Final = 50
HITS_DAYS: Final = 30
MAX_ID: Final = 2**63 - 1
MAX_CONFLICTS: Final = 500

RuleId = Annotated[int, Path(ge=1, le=MAX_ID)]
Back = Annotated[str, Form(max_length=2000)]
Revision = Annotated[int, Form(ge=1, le=MAX_ID)]


class ListQuery(BaseModel):
    """The filters in the address. after: the key of the last rule of the page before."""

    tab: Blank[str] = Field(default=None, max_length=20)
    q: Blank[str] = Field(default=None, max_length=200)
    account: Blank[str] = Field(default=None, max_length=30)
    state: Blank[str] = Field(default=None, pattern="^(on|off)$")
    match: Blank[str] = Field(default=None, max_length=20)
    after: Blank[str] = Field(
        default=None, pattern=r"^[01]_-?\d{1,11}_\d{1,5}_[-+.e\d]{1,25}_\d{1,18}$"
    )
    done: Blank[str] = Field(default=None, max_length=20)

    @property
    def name(self) -> str:
        """The tab."""
        return self.tab if self.tab in TABS else next(iter(TABS))

    def query(self, **changed: object) -> str:
        """Return the filters as the query of an address, some of them changed."""
        values = self.model_dump(mode="json", exclude={"done"}) | changed
        return urlencode({name: value for name, value in values.items() if value})


@router.get("")
async def show_rules(
    request: Request, _visitor: Viewer, query: Annotated[ListQuery, Query()]
) -> Response:
    """List the rules of a tab."""
    tab = TABS[query.name]
    wanted = RuleFilter(
        on=tab.kinds,
        match=query.match,
        appid=query.account,
        enabled=None if query.state is None else query.state == "on",
        words=query.q,
    )
    since = request.app.state.clock.now() - timedelta(days=HITS_DAYS)
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        page = await _order(request).page(
            session, wanted, after=_key_of(query.after), limit=PAGE_ROWS
        )
        rows = page.rows
        hits = await rule_hits.hits_of(session, [row.id for row in rows], since)
    conflicts = await conflicts_of(request, wait=WAIT_SECONDS)
    has_filter = any((query.q, query.account, query.state, query.match))
    return render(
        request,
        "rules/index.html",
        fragment="results",
        query=query,
        tab=tab,
        tabs=[
            (f"/rules?tab={name}", each.label, name == query.name) for name, each in TABS.items()
        ],
        rows=rows,
        words_of=words_of,
        is_valid=lambda row: isinstance(row.rule, RuleOut),
        hits=hits,
        most=rule_hits.MAX_COUNTED,
        conflicts=None if conflicts is None else by_rule(conflicts),
        conflict_labels=CONFLICTS,
        texts=field_labels,
        accounts=receiving_accounts(request.app.state.settings),
        has_filter=has_filter,
        notice=notice_of(query.done),
        back=query.query(),
        first=f"/rules?{query.query(after=None)}" if query.after else None,
        further=f"/rules?{query.query(after=_cursor(page.next))}" if page.next else None,
    )


@router.get("/conflicts")
async def show_conflicts(request: Request, _visitor: Viewer) -> Response:
    """List the rules that never answer, or not as they seem to."""
    found = await conflicts_of(request, wait=None) or ()
    return render(
        request,
        "rules/conflicts.html",
        conflicts=found[:MAX_CONFLICTS],
        more=max(0, len(found) - MAX_CONFLICTS),
        conflict_labels=CONFLICTS,
    )


@router.post("/{rule_id}/switch")
async def switch_rule(
    request: Request,
    visitor: Editor,
    rule_id: RuleId,
    revision: Revision,
    session: SessionDep,
    back: Back = "",
) -> Response:
    """Switch a rule on or off."""
    rule = await _rule(session, rule_id)
    changed = rule.model_copy(update={"enabled": not rule.enabled})
    return await _change(request, visitor, session, rule_id, changed, revision, back, "switched")


@router.post("/{rule_id}/move")
async def move_rule(
    request: Request,
    visitor: Editor,
    rule_id: RuleId,
    revision: Revision,
    direction: Annotated[str, Form(pattern="^(up|down)$")],
    session: SessionDep,
    back: Back = "",
) -> Response:
    """Move a rule before, or behind, all others of its priority.

    The order of equals follows from their triggers, so the priority of this one rule changes by
    one. No other rule is changed.
    """
    rule = await _rule(session, rule_id)
    step = 1 if direction == "up" else -1
    priority = min(MAX_PRIORITY, max(MIN_PRIORITY, rule.priority + step))
    changed = rule.model_copy(update={"priority": priority})
    return await _change(request, visitor, session, rule_id, changed, revision, back, "moved")


@router.post("/{rule_id}/delete")
async def delete_rule(
    request: Request, visitor: Editor, rule_id: RuleId, revision: Revision, session: SessionDep
) -> Response:
    """Delete a rule."""
    found = await store.get(session, rule_id)
    if found is None:
        raise NotFound
    tab = tab_of(found.trigger.on) if isinstance(found, RuleOut) else "keywords"
    try:
        await changes.delete(session, rule_id, actor_of(request, visitor), revision=revision)
    except edit.StaleRevision:
        return _to(f"/rules/{rule_id}?done=stale")
    return _to(f"/rules?tab={tab}&done=deleted")


async def conflicts_of(request: Request, *, wait: float | None) -> Sequence[Conflict] | None:
    """Return the conflicts of the served rules; None if they are not found in time.

    Call it without a session: it waits.
    """
    state = request.app.state
    live = getattr(state, "rules", None)
    if live is None or live.current is None:
        return ()
    if not hasattr(state, "rule_conflicts"):
        state.rule_conflicts = ConflictCache()
    cache: ConflictCache = state.rule_conflicts
    return await cache.find(live.current, state.clock.now(), state.settings, wait=wait)


def by_rule(conflicts: Sequence[Conflict]) -> Mapping[int, list[Conflict]]:
    """Return the conflicts of each rule."""
    found: defaultdict[int, list[Conflict]] = defaultdict(list)
    for conflict in conflicts:
        found[conflict.rule_id].append(conflict)
    return dict(found)


async def _rule(session: AsyncSession, rule_id: int) -> RuleOut:
    found = await store.get(session, rule_id)
    if not isinstance(found, RuleOut):
        raise NotFound
    return found


async def _change(
    request: Request,
    visitor: Editor,
    session: AsyncSession,
    rule_id: int,
    rule: RuleIn,
    revision: int,
    back: str,
    done: str,
) -> Response:
    try:
        await changes.replace(session, rule_id, rule, actor_of(request, visitor), revision=revision)
    except (edit.StaleRevision, edit.NoSuchRule):
        done = "stale"
    return _to(f"/rules?{back}{'&' if back else ''}done={done}")


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(console_path(path), 303)


def _order(request: Request) -> ListOrder:
    state = request.app.state
    if not hasattr(state, "rule_order"):
        state.rule_order = ListOrder()
    order: ListOrder = state.rule_order
    return order


def _cursor(key: SortKey) -> str:
    is_fallback, priority, kind, length, rule_id = key
    return f"{is_fallback:d}_{priority}_{kind}_{length!r}_{rule_id}"


def _key_of(cursor: str | None) -> SortKey | None:
    """Return the key that a cursor names; None, which is the first page, if it is not a key."""
    if cursor is None:
        return None
    is_fallback, priority, kind, length, rule_id = cursor.split("_")
    try:
        return is_fallback == "1", int(priority), int(kind), float(length), int(rule_id)
    except ValueError:
        return None
