"""Adds a rule, reads it again, and changes its priority without losing anybody else's change."""

import json
import os
import urllib.error
import urllib.request
from typing import Any

OA_BRIDGE = os.environ["OA_BRIDGE_URL"]
TOKEN = os.environ["OA_BRIDGE_TOKEN"]
READ_ONLY = ("id", "revision", "created_at", "updated_at")
TRIES = 5

RULE = {
    "name": "Opening hours",
    "trigger": {"on": "text", "match": "contains", "keyword": "营业时间"},
    "replies": [{"msgtype": "text", "via": "passive", "content": "10:00-22:00"}],
}


def call(
    method: str, path: str, body: object = None, if_match: str | None = None
) -> tuple[dict[str, Any], str]:
    """Call the API; return the JSON of the answer and its ETag. Raises HTTPError."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    if if_match is not None:
        headers["If-Match"] = if_match
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(OA_BRIDGE + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer), answer.headers["ETag"]


def set_priority(rule_id: int, priority: int) -> dict[str, Any]:
    """Change one member of a rule. 412: somebody else was quicker, so read it again."""
    for _ in range(TRIES):
        rule, etag = call("GET", f"/api/rules/{rule_id}")
        wanted = {name: value for name, value in rule.items() if name not in READ_ONLY}
        wanted["priority"] = priority
        try:
            return call("PUT", f"/api/rules/{rule_id}", wanted, etag)[0]
        except urllib.error.HTTPError as error:
            if error.code != 412:
                raise
    raise RuntimeError(f"rule {rule_id} is changed again and again")


if __name__ == "__main__":
    added, _ = call("POST", "/api/rules", RULE)
    changed = set_priority(added["id"], 200)
    print(json.dumps({name: changed[name] for name in ("id", "name", "priority", "revision")}))
