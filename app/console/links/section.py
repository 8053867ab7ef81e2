"""The section of the console with everything about links into mini-programs."""

from typing import Final

from app.console.links import edit_page, link_page, list_page  # noqa: F401 - each adds its routes
from app.console.links.router import router
from app.console.messages import N_
from app.console.section import Section

SECTION: Final = Section("/links", N_("Links"), "l", router)
