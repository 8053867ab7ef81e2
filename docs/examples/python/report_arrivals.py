"""Passes what a mini-program reports on to OA Bridge. Standard input: the body of its request.

python report_arrivals.py OPENID <body.json
"""

import json
import os
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

OA_BRIDGE = os.environ["OA_BRIDGE_URL"]
TOKEN = os.environ["OA_BRIDGE_TOKEN"]
APPID = os.environ["MINI_PROGRAM_APPID"]
WEEK = timedelta(days=7)
MEMBERS = ("id", "kind", "scene", "path", "query", "referrer_appid", "ref")


def report_of(sent: dict[str, Any], openid: str, now: datetime) -> dict[str, Any]:
    """Return one report. openid: of your own session, never one that the mini-program sends.

    Conversions are not taken from a phone: report an order when it is paid, with its number as id.
    """
    ago = min(timedelta(milliseconds=float(sent.get("ago", 0))), WEEK)
    report = {name: sent[name] for name in MEMBERS if sent.get(name) is not None}
    return {**report, "appid": APPID, "openid": openid, "at": (now - ago).isoformat()}


def pass_on(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Report to OA Bridge. It may be repeated: after a time-out, simply send it again."""
    request = urllib.request.Request(
        f"{OA_BRIDGE}/api/arrivals",
        data=json.dumps({"reports": reports}).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        counts: dict[str, Any] = json.load(answer)
    return counts


if __name__ == "__main__":
    body = json.load(sys.stdin)
    now = datetime.now(UTC)
    launches = [sent for sent in body["reports"][:100] if sent["kind"] == "launch"]
    if launches:
        print(json.dumps(pass_on([report_of(sent, sys.argv[1], now) for sent in launches])))
