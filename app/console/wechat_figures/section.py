"""The section of the console with everything about figures."""

from typing import Final

from app.console.messages import N_
from app.console.section import Section
from app.console.wechat_figures import compare_page, notes_page  # noqa: F401 - each adds its routes
from app.console.wechat_figures.router import router

SECTION: Final = Section("/figures", N_("Figures"), "c", router)
