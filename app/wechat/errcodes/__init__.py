"""WeChat's errcodes: what each asks the service to do, and what it means to an operator."""

from app.wechat.errcodes.action import Action, action_for, concerns_account
from app.wechat.errcodes.explain import Explanation, Language, explain

__all__ = ["Action", "Explanation", "Language", "action_for", "concerns_account", "explain"]
