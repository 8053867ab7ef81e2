"""What a web process needs for notices."""

from starlette.datastructures import State

from app.notices.list_templates import TemplateLister


def serve_notices(state: State) -> None:
    """Set `template_lister` of the state, which calls WeChat as the process does."""
    state.template_lister = TemplateLister(
        state.database.sessions, state.wechat_api, state.access_tokens, state.clock
    )
