"""Followers: their place in the navigation, and the routes of their pages."""

from typing import Final

from app.console.followers import erasures_page, growth_page, list_page, person_page
from app.console.messages import N_
from app.console.section import Section

for page in (person_page, growth_page, erasures_page):
    list_page.router.include_router(page.router)

SECTION: Final = Section("/followers", N_("Followers"), "f", list_page.router)
