"""The section of the console with everything about tags."""

from typing import Final

from app.console.messages import N_
from app.console.section import Section
from app.console.tags import list_page, run_page, tag_page  # noqa: F401 - each adds its routes
from app.console.tags.router import router

SECTION: Final = Section("/tags", N_("Tags"), "g", router)
