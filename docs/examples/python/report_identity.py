"""After wx.login: turns the code into OpenID and UnionID, and reports them to OA Bridge.

python report_identity.py CODE
"""

import json
import os
import sys
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from typing import Any

WECHAT = os.environ.get("WECHAT_API", "https://api.weixin.qq.com")
OA_BRIDGE = os.environ["OA_BRIDGE_URL"]
TOKEN = os.environ["OA_BRIDGE_TOKEN"]
APPID = os.environ["MINI_PROGRAM_APPID"]
SECRET = os.environ["MINI_PROGRAM_SECRET"]


def code2session(code: str) -> dict[str, Any]:
    """Ask WeChat who has logged in. The answer's session_key stays on this server."""
    query = {"appid": APPID, "secret": SECRET, "js_code": code, "grant_type": "authorization_code"}
    url = f"{WECHAT}/sns/jscode2session?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=5) as answer:
        session: dict[str, Any] = json.load(answer)
    if session.get("errcode"):
        sys.exit(f"WeChat refuses the code: {session['errcode']} {session.get('errmsg')}")
    return session


def report(openid: str, unionid: str, logged_in_at: datetime) -> dict[str, int]:
    """Tell OA Bridge who this is. It may be repeated: after a time-out, simply send it again."""
    identity = {
        "appid": APPID,
        "openid": openid,
        "unionid": unionid,
        "logged_in_at": logged_in_at.isoformat(),
    }
    request = urllib.request.Request(
        f"{OA_BRIDGE}/api/identities",
        data=json.dumps({"identities": [identity]}).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        counts: dict[str, int] = json.load(answer)
    return counts


if __name__ == "__main__":
    now = datetime.now(UTC)
    session = code2session(sys.argv[1])
    if "unionid" in session:
        print(json.dumps(report(session["openid"], session["unionid"], now)))
    else:
        print("no UnionID: nothing to report")
