"""Opens every page of an installed console. Run as a program: database, folder, then the paths.

It stands alone, so that it imports what is installed and nothing of the repository.
"""

import asyncio
import re
import sys
from pathlib import Path

import httpx

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


async def main(database_url: str, folder: str, *paths: str) -> None:
    """Sign in and open the pages in both languages, with the files that they load."""
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        data_dir=Path(folder),
        wechat_appid="wx0123456789abcdef",
        wechat_token="Token123",
        wechat_message_mode="plain",
    )
    service = create_app(settings, SystemClock())
    database, now = service.state.database, service.state.clock.now()
    async with database.sessions.begin() as session:
        added = await operators.add(session, ACTOR, "Owner", Role.OWNER, now=now)
        secret = await sign_in_links.make(session, ACTOR, added, now=now)
    transport = httpx.ASGITransport(service)
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as http:
        await http.post(sign_in_links.link_of("", secret))
        files: set[str] = set()
        for language in ("zh", "en"):
            await http.post("/console/language", data={"language": language})
            for path in paths:
                page = await http.get(f"/console{path}")
                assert page.status_code == 200, (path, page.status_code, page.text)
                assert f'<html lang="{language}' in page.text
                assert ("设置" in page.text) is (language == "zh"), path
                files |= set(STATIC.findall(page.text))
        for file in files:
            assert (await http.get(file)).status_code == 200, file
    await database.close()
    print(Path(app.__file__).parent, len(files))  # noqa: T201  # the test reads it


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
