"""Webhooks: their place in the navigation, and the routes of their pages."""

from typing import Final

from app.console.messages import N_
from app.console.section import Section
from app.console.webhooks import actions, check_page, edit_page, list_page, one_page, replay_page

# The routes with fixed names come before the ones with an id.
for page in (edit_page, one_page, actions, check_page, replay_page):
    list_page.router.include_router(page.router)

SECTION: Final = Section("/webhooks", N_("Webhooks"), "w", list_page.router)
