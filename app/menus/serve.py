"""What a web process needs for menus."""

from starlette.datastructures import State

from app.menus.wechat_menus import WeChatMenus


def serve_menus(state: State) -> None:
    """Set `wechat_menus` of the state, which calls WeChat as the process does."""
    state.wechat_menus = WeChatMenus(state.wechat_api, state.access_tokens)
