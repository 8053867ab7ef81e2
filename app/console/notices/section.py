"""The section of the console with everything about notices."""

from typing import Final

from app.console.messages import N_
from app.console.notices import list_page, new_page, send_page  # noqa: F401 - each adds its routes
from app.console.notices.router import router
from app.console.section import Section

SECTION: Final = Section("/notices", N_("Notices"), "b", router)
