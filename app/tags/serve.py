"""What a web process needs for tags."""

from starlette.datastructures import State

from app.tags.change_tags import TagChanger
from app.tags.wechat_tags import WeChatTags


def serve_tags(state: State) -> None:
    """Set `tag_changer` of the state, which calls WeChat as the process does."""
    wechat = WeChatTags(state.wechat_api, state.access_tokens)
    state.tag_changer = TagChanger(state.database.sessions, wechat, state.clock)
