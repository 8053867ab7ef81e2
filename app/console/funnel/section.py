"""The funnel: its place in the navigation, and the routes of its pages."""

from typing import Final

from app.console.funnel import funnel_page, retention_page
from app.console.messages import N_
from app.console.section import Section

funnel_page.router.include_router(retention_page.router)

SECTION: Final = Section("/funnel", N_("Funnel"), "e", funnel_page.router)
