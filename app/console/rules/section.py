"""The section of the console with everything about rules."""

from typing import Final

from app.console.messages import N_
from app.console.rules import (  # noqa: F401 - each adds its routes, those with an id last
    broken_page,
    editor_page,
    history,
    import_page,
    list_page,
    one_import_page,
    pictures,
    replay_page,
    try_page,
    view_page,
)
from app.console.rules.import_page import IMPORT_LIMIT
from app.console.rules.router import router
from app.console.section import Section
from app.ops.api_body import BodyLimit
from app.wechat_client.convert_picture import MAX_SOURCE_BYTES

SECTION: Final = Section("/rules", N_("Auto reply"), "r", router)
# A form with a picture of the greatest size that is taken; without JavaScript each button sends it.
EDIT_LIMIT: Final = BodyLimit(MAX_SOURCE_BYTES + 1024 * 1024, 60)
BODY_LIMITS: Final = {
    "/rules/edit": EDIT_LIMIT,
    "/rules/try": EDIT_LIMIT,
    "/rules/replay": EDIT_LIMIT,
    "/rules/import": IMPORT_LIMIT,
}
