"""The section of the console with everything about custom menus."""

from typing import Final

from app.console.menus import (  # noqa: F401 - each adds its routes
    change_routes,
    difference_page,
    editor_page,
    match_page,
    taps_page,
    version_routes,
)
from app.console.menus.router import router
from app.console.messages import N_
from app.console.section import Section

SECTION: Final = Section("/menus", N_("Menus"), "u", router)
