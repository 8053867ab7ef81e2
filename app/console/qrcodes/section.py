"""The section of the console with everything about QR codes."""

from typing import Final

from app.console.messages import N_
from app.console.qrcodes import code_page, list_page  # noqa: F401 - each adds its routes
from app.console.qrcodes.router import router
from app.console.section import Section

SECTION: Final = Section("/qrcodes", N_("QR codes"), "q", router)
