"""Prints the OpenID of every follower, then the cursor for the next run.

python read_followers.py [CURSOR]
"""

import json
import os
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

OA_BRIDGE = os.environ["OA_BRIDGE_URL"]
TOKEN = os.environ["OA_BRIDGE_TOKEN"]


def pages(path: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield page after page. The filters stay the same; only the cursor changes."""
    while True:
        request = urllib.request.Request(
            f"{OA_BRIDGE}{path}?{urllib.parse.urlencode(query)}",
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            page: dict[str, Any] = json.load(answer)
        yield page
        if page["next"] is None:
            return
        query = {**query, "after": page["next"]}


if __name__ == "__main__":
    query = {"limit": "500"}
    if len(sys.argv) > 1:
        query["after"] = sys.argv[1]
    for page in pages("/api/followers", query):
        for follower in page["items"]:
            print(follower["openid"])
    # Store it: passed as `after`, it leads to what has arrived since.
    print(page["later"])
