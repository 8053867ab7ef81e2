"""Writes docs/openapi.json, so that each change of the API is seen in review: `make openapi`."""

import json
from pathlib import Path
from typing import Any, Final

from app.clock import SystemClock
from app.main import create_app
from app.settings import Settings

FILE: Final = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def kept() -> dict[str, Any]:
    """Return docs/openapi.json. A test compares it with the document of this code."""
    document: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return document


def openapi_text() -> str:
    """Return the OpenAPI document of this code; it depends on no setting."""
    settings = Settings(_env_file=None, database_url="postgresql://nobody@127.0.0.1/none")
    document = create_app(settings, SystemClock()).openapi()
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(openapi_text(), encoding="utf-8")
