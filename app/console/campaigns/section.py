"""The section of the console with everything about campaigns."""

from typing import Final

from app.campaigns.codes_router import MAX_FILE_BYTES
from app.console.campaigns import (  # noqa: F401 - each adds its routes
    codes_routes,
    edit_page,
    list_page,
    one_page,
)
from app.console.campaigns.router import router
from app.console.messages import N_
from app.console.section import Section
from app.ops.api_body import BodyLimit

SECTION: Final = Section("/campaigns", N_("Campaigns"), "p", router)
BODY_LIMITS: Final = {
    "/campaigns/{campaign_id}/codes": BodyLimit(MAX_FILE_BYTES + 1024 * 1024, seconds=900)
}
