"""Subscriptions: their place in the navigation, and the routes of their pages."""

from typing import Final

from app.console.messages import N_
from app.console.section import Section
from app.console.subscriptions import figures_page, recipients_page

figures_page.router.include_router(recipients_page.router)

SECTION: Final = Section("/subscriptions", N_("Subscriptions"), "n", figures_page.router)
