"""Words a failed call of WeChat's API for the person who runs a command."""

from app.wechat.errors import ApiError
from app.wechat_client.errors import NoToken
from app.wechat_client.refusal import refusal_text


def api_failure(error: ApiError) -> str:
    """Return one line: what failed, what it means, and what to do."""
    before = "there is no access token: " if isinstance(error, NoToken) else ""
    if error.errcode is None:
        return f"{before}{error.errmsg}"
    return f"{before}{refusal_text(error.errcode, error.rid)}"
