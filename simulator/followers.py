"""Followers of an account, and their UnionIDs."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from simulator.windows import SendWindows


def unionid_of(person: str) -> str:
    """Return the UnionID of a person, which is the same at all accounts."""
    digest = hashlib.sha256(f"unionid:{person}".encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode()[:27]


@dataclass(slots=True)
class Follower:
    """One person at one account.

    person: the same for all OpenIDs of one human; None: the person never gets a UnionID.
    subscribe_time: the time of the last follow; None if the person never followed. tags: ids, the
    one that was applied last at the end. platform: 1 iOS, 2 Android, 3 another one. remark: what an
    operator calls the person.
    """

    appid: str
    openid: str
    person: str | None
    following: bool = False
    subscribe_time: datetime | None = None
    subscribe_scene: str = "ADD_SCENE_SEARCH"
    qr_scene_str: str = ""
    tags: list[int] = field(default_factory=list)
    platform: str = "1"
    remark: str = ""
    windows: SendWindows = field(default_factory=SendWindows)
    last_exchange: datetime | None = None
    typing_until: datetime | None = None

    def follow(self, now: datetime, qr_scene: str = "") -> None:
        """Start following, by a parameterised QR code when `qr_scene` is given."""
        self.following = True
        self.subscribe_time = now
        self.qr_scene_str = qr_scene
        self.subscribe_scene = "ADD_SCENE_QR_CODE" if qr_scene else "ADD_SCENE_SEARCH"

    def unfollow(self) -> None:
        """Stop following; every send window closes."""
        self.following = False
        self.windows.close()

    def profile(self, *, bound: bool) -> dict[str, object]:
        """Return the user object of `user/info`. Source: protocol 8."""
        profile: dict[str, object] = {
            "subscribe": int(self.following),
            "openid": self.openid,
            "nickname": "",
            "sex": 0,
            "language": "zh_CN",
            "city": "",
            "province": "",
            "country": "",
            "headimgurl": "",
            "remark": self.remark,
            "groupid": 0,
            "tagid_list": [],
        }
        if not self.following or self.subscribe_time is None:
            return profile
        profile |= {
            "subscribe_time": int(self.subscribe_time.timestamp()),
            "subscribe_scene": self.subscribe_scene,
            "qr_scene": 0,
            "qr_scene_str": self.qr_scene_str,
            "tagid_list": list(self.tags),
        }
        if bound and self.person is not None:
            profile["unionid"] = unionid_of(self.person)
        return profile
