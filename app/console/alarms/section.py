"""The section of the console with everything about alarms."""

from typing import Final

from app.console.alarms import list_page, receiver_page, threshold_page  # noqa: F401 - add routes
from app.console.alarms.router import router
from app.console.messages import N_
from app.console.section import Section

SECTION: Final = Section("/alarms", N_("Alarms"), "x", router)
