"""The caller of the API: the account of the access_token, and the JSON that it sent."""

import json
import re
from typing import Annotated

from fastapi import Depends, Request

from simulator.accounts import Account
from simulator.errors import ApiError
from simulator.state import StateDep

JsonObject = dict[str, object]
ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\u")


async def calling_account(request: Request, state: StateDep) -> Account:
    """Return the account that owns the access_token of the query."""
    access_token = request.query_params.get("access_token")
    if not access_token:
        raise ApiError(41001)
    return state.owner_of(access_token)


async def json_body(request: Request) -> JsonObject:
    r"""Return the JSON object of the body. Raises ApiError 47001 for anything else.

    `\uXXXX` escapes are kept as they are written, because the platform shows them so to people.
    Source: protocol, "How to read it".
    """
    try:
        text = (await request.body()).decode()
        parsed = json.loads(ESCAPE.sub(r"\1\\\\u", text))
    except ValueError:
        raise ApiError(47001) from None
    if not isinstance(parsed, dict):
        raise ApiError(47001)
    return parsed


CallerDep = Annotated[Account, Depends(calling_account)]
JsonDep = Annotated[JsonObject, Depends(json_body)]
