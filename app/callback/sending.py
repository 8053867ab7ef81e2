"""What a callback needs to know of the replies that are queued with it."""

from dataclasses import dataclass

from app.callback.handovers import Handovers
from app.replies.send_windows import Limits
from app.rules.matching.render_replies import Unsendable
from app.wechat.ids import AppId
from app.wechat.outbound import Message, MiniProgramPage
from app.wechat_client.pauses import lasts
from app.wechat_client.problems import ApiProblems


@dataclass(frozen=True, slots=True)
class Sending:
    """What the endpoint shares with the sending of queued replies.

    problems: read from the database every few seconds, so that a callback finds them in memory.
    """

    limits: Limits
    handovers: Handovers
    problems: ApiProblems


def unsendable_now(problems: ApiProblems, appid: str) -> Unsendable:
    """Return what says why a card of an account can't be sent now."""

    def reason(reply: Message) -> str | None:
        mini_program = reply.appid if isinstance(reply, MiniProgramPage) else None
        pause = problems.pause(AppId(appid), "message/custom/send", mini_program)
        pause = pause or problems.no_token(AppId(appid))
        # What comes too fast is sent a minute later, and most outages end before a window does.
        if pause is None or not lasts(pause):
            return None
        if pause.is_outage:
            return f"WeChat answers no call now: {pause.error.errmsg}"
        return f"WeChat refuses it now (errcode {pause.error.errcode}): {pause.error.errmsg}"

    return reason
