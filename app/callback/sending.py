"""What a callback needs to know of the replies that are queued with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.callback.handovers import Handovers
from app.replies.ledger import NO_WINDOW
from app.replies.open_windows import OpenWindows
from app.replies.send_windows import Limits, opened_by
from app.rules.matching.render_replies import Unsendable
from app.rules.matching.rule_set import Chosen
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound, MenuEvent
from app.wechat.outbound import Message, MiniProgramPage, rule_instead, text_instead
from app.wechat_client.pauses import lasts
from app.wechat_client.problems import ApiProblems


@dataclass(frozen=True, slots=True)
class Sending:
    """What the endpoint shares with the sending of queued replies.

    problems: read from the database every few seconds, so that a callback finds them in memory.
    windows: read for the few callbacks that need them.
    """

    limits: Limits
    handovers: Handovers
    problems: ApiProblems
    windows: OpenWindows


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


def needs_window(chosen: Iterable[Chosen], message: Inbound, limits: Limits, now: datetime) -> bool:
    """Return whether it matters if an earlier action of the follower has left a window open.

    So it is where a push opens none and something is said in place of a reply. Among such pushes
    only a tap of the menu can be answered. Source: protocol 5 and 6.1.
    """
    if not isinstance(message, MenuEvent) or opened_by(message, limits, now=now) is not None:
        return False
    return any(
        text_instead(reply) is not None or rule_instead(reply) is not None
        for choice in chosen
        for reply in choice.rule.replies
    )


def without_window(unsendable: Unsendable) -> Unsendable:
    """Return what says why a reply can't be sent to a follower who has no open window."""
    return lambda reply: unsendable(reply) or NO_WINDOW
