"""What a web process needs for notices."""

from starlette.datastructures import State

from app.notices.code_source import CodeSource
from app.notices.list_templates import TemplateLister


def serve_notices(state: State, codes: CodeSource) -> None:
    """Set `template_lister`, which calls WeChat as the process does, and `notice_codes`."""
    state.notice_codes = codes
    state.template_lister = TemplateLister(
        state.database.sessions, state.wechat_api, state.access_tokens, state.clock
    )
