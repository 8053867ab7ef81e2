"""Opens pages of an installed console. Run as a program with the paths; settings as ever.

It stands alone, so that it imports what is installed and nothing of the repository.
"""

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
from fastapi import FastAPI

import app
from app.access import operators, sign_in_links
from app.access.actor import Actor, ActorKind
from app.access.roles import Role
from app.clock import SystemClock
from app.main import create_app
from app.settings import Settings

ORIGIN = "https://console.example"
STATIC = re.compile(r'(?:src|href)="(/console/static/[^"]+)"')
ACTOR = Actor(ActorKind.CLI, "cli")


async def main(*paths: str) -> None:
    """Sign in and open the pages in both languages, with the files that they load."""
    service = create_app(Settings(_env_file=None), SystemClock())
    async with service.router.lifespan_context(service):
        files = await open_all(service, paths)
    print(Path(app.__file__).parent, len(files))  # noqa: T201  # the test reads it


async def open_all(service: FastAPI, paths: Sequence[str]) -> set[str]:
    """Return the paths of the files that the pages load, each of which is there."""
    database, now = service.state.database, service.state.clock.now()
    async with database.sessions.begin() as session:
        added = await operators.add(session, ACTOR, "Owner", Role.OWNER, now=now)
        secret = await sign_in_links.make(session, ACTOR, added, now=now)
    transport = httpx.ASGITransport(service)
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as http:
        await http.post(sign_in_links.link_of("", secret))
        files: set[str] = set()
        # English needs no catalogue: one page shows it.
        for language, opened in (("en", paths[:1]), ("zh", paths)):
            await http.post("/console/language", data={"language": language})
            for path in opened:
                page = await http.get(f"/console{path}")
                assert page.status_code == 200, (path, page.status_code, page.text)
                assert f'<html lang="{language}' in page.text
                assert ("设置" in page.text) is (language == "zh"), path
                files |= set(STATIC.findall(page.text))
        for file in files:
            assert (await http.get(file)).status_code == 200, file
    return files


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
