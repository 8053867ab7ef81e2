"""What an explanation is asked for."""

from dataclasses import dataclass
from datetime import datetime

from app.rules.matching.follower_facts import Facts
from app.wechat.ids import AppId, OpenId
from app.wechat.inbound import Inbound, subject_openid


@dataclass(frozen=True, slots=True)
class ExplainQuery:
    """A message at a moment. facts: of the follower who sends it; None: it may be anybody."""

    appid: AppId
    message: Inbound
    facts: Facts | None
    now: datetime

    @property
    def openid(self) -> OpenId:
        """Whose message it is, if that is known."""
        return subject_openid(self.message)
