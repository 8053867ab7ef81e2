"""The section with all its routes."""

from typing import Final

from app.console.message_pages import list_page, one_message, retries_page, words_page
from app.console.messages import N_
from app.console.section import Section

router = list_page.router
# The routes with fixed names come before the ones with an id.
for further in (words_page.router, retries_page.router, one_message.router):
    router.include_router(further)

SECTION: Final = Section("/messages", N_("Messages and replies"), "m", router)
