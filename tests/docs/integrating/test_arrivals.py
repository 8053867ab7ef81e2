"""The recipes for the backend of a mini-program report arrivals to the service."""

import asyncio
import json
from datetime import datetime, timedelta

from tests.docs.integrating.examples import Language, environment
from tests.service import CARD_APPID, Json, Service

QUERY = {"ref": "hV3kQ9_x2A", "title": 'a "b" & c=\\'}
AGO = 90_000
BODY = {
    "reports": [
        {
            "id": "one",
            "kind": "launch",
            "ago": AGO,
            "scene": 1074,
            "path": "pages/shop/商城",
            "query": QUERY,
            # What a forged client may send.
            "openid": "oFORGED",
            "appid": "wx00000000000000ff",
        },
        {"id": "two", "kind": "conversion", "ago": 0, "name": "purchase", "value": 1e6},
    ]
}


async def passed_on(language: Language, api: dict[str, str], body: Json) -> Json:
    """Run a recipe with the body of a mini-program; return what the service answered."""
    (sent, *_) = body["reports"]
    arguments = ["oOWN"]
    if language.name == "java":  # whose framework reads the body
        query = "&".join(f"{name}={value}" for name, value in QUERY.items())
        arguments += [sent["id"], str(sent["scene"]), sent["path"], query, str(sent["ago"])]
    process = await asyncio.create_subprocess_exec(
        *language.command("report_arrivals", *arguments),
        env=environment(api | {"MINI_PROGRAM_APPID": CARD_APPID, "LANG": "C.UTF-8"}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(json.dumps(body).encode())
    assert process.returncode == 0, output.decode()
    found: Json = json.loads(output)
    return found


async def test_a_recipe_passes_on_what_the_mini_program_sent_and_whose_session_it_is(
    language: Language, service: Service, api: dict[str, str]
) -> None:
    first = await passed_on(language, api, BODY)
    again = await passed_on(language, api, BODY)

    assert (first["received"], first["stored"], first["refused"]) == (1, 1, 0)
    assert (again["stored"], again["repeated"]) == (0, 1)
    (found,) = (await service.read("arrivals"))["items"]
    assert (found["appid"], found["openid"]) == (CARD_APPID, "oOWN")
    assert (found["kind"], found["scene"], found["path"]) == ("launch", 1074, "pages/shop/商城")
    assert "ref=hV3kQ9_x2A" in found["query"]
    at = datetime.fromisoformat(found["at"])
    # The clock of the service stands still, and that of the recipe is of this machine.
    assert at < service.clock.now() + timedelta(minutes=5)
