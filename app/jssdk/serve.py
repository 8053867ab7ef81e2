"""What a web process needs to sign pages."""

from dataclasses import dataclass

from starlette.datastructures import State

from app.clock import Clock
from app.db.engine import Database
from app.jssdk.live_tickets import LiveTickets
from app.secret_box import secret_box
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class PageSigning:
    """Tickets, clock and settings of the process."""

    tickets: LiveTickets
    clock: Clock
    settings: Settings


def set_page_signing(state: State) -> None:
    """Set `page_signing` of the state. It opens no connection."""
    settings: Settings = state.settings
    database: Database = state.database
    tickets = LiveTickets(database.sessions, secret_box(settings), state.clock)
    state.page_signing = PageSigning(tickets, state.clock, settings)
