"""What a web process needs for links, from its start to its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import State

from app.clock import Clock
from app.db.background_store import background_store
from app.db.engine import Database
from app.links.go_router import GoState
from app.links.live_links import read_link
from app.links.make import LinkMaker
from app.links.opens import Opens
from app.links.slug_cache import SlugCache
from app.settings import Settings
from app.tombstones.erasure_secret import erasure_secret


@asynccontextmanager
async def serving_links(state: State) -> AsyncIterator[None]:
    """Set `go` and `link_maker` of the state, and store opens while the block runs."""
    settings: Settings = state.settings
    clock: Clock = state.clock
    database: Database = state.database
    opens = Opens(database.sessions, clock, erasure_secret(settings))
    state.go = GoState(SlugCache(database.sessions, read_link), opens, clock, settings)
    state.link_maker = LinkMaker(database.sessions, state.wechat_api, state.access_tokens, clock)
    async with background_store(opens):
        yield
