"""The chat page."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter()


@router.get("/", include_in_schema=False)
async def show_page() -> FileResponse:
    """Return the page, which loads no other files."""
    return FileResponse(Path(__file__).with_name("page.html"), media_type="text/html")
