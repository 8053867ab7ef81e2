"""Words a failed call of WeChat's API for the person who runs a command."""

from app.wechat.errcodes import explain
from app.wechat.errors import ApiError
from app.wechat_client.errors import NoToken


def api_failure(error: ApiError) -> str:
    """Return one line: what failed, what it means, and what to do."""
    before = "there is no access token: " if isinstance(error, NoToken) else ""
    if error.errcode is None:
        return f"{before}{error.errmsg}"
    found = explain(error.errcode, "en", error.rid, is_repeated=False)
    rid = "" if error.rid is None else f" (rid {error.rid})"
    return f"{before}WeChat refuses with errcode {error.errcode}: {found.meaning} {found.fix}{rid}"
