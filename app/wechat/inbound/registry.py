"""The list of all messages and events, as union types and by name."""

from typing import get_args

from app.wechat.inbound.account_events import (
    AnnualRenew,
    DebugDemo,
    KfCloseSession,
    KfCreateSession,
    KfSwitchSession,
    NamingVerifyFail,
    NamingVerifySuccess,
    QualificationVerifyFail,
    QualificationVerifySuccess,
    UserEnterTempSession,
    VerifyExpired,
)
from app.wechat.inbound.follow_events import LocationReport, Scan, Subscribe, Unsubscribe
from app.wechat.inbound.job_events import (
    MassSendJobFinish,
    PublishJobFinish,
    TemplateSendJobFinish,
)
from app.wechat.inbound.menu_events import (
    Click,
    LocationSelect,
    PicPhotoOrAlbum,
    PicSysPhoto,
    PicWeixin,
    ScanCodePush,
    ScanCodeWaitMsg,
    View,
    ViewMiniProgram,
)
from app.wechat.inbound.messages import (
    File,
    Image,
    Link,
    Location,
    MiniProgramPage,
    ShortVideo,
    Text,
    UnknownMessage,
    Unsupported,
    Video,
    Voice,
)
from app.wechat.inbound.other_events import OtherEvent, UnknownEvent
from app.wechat.inbound.privacy_events import (
    UserAuthorizationCancellation,
    UserAuthorizationRevoke,
    UserInfoModified,
)
from app.wechat.inbound.subscription_events import (
    SubscribeMsgChange,
    SubscribeMsgPopup,
    SubscribeMsgSent,
)

_OneTypeEach = Text | Image | Voice | Video | ShortVideo | Location | Link | File | MiniProgramPage
# An Unsupported has the MsgType of a text.
KnownMessage = _OneTypeEach | Unsupported
KnownEvent = (
    Subscribe
    | Unsubscribe
    | Scan
    | LocationReport
    | Click
    | View
    | ViewMiniProgram
    | ScanCodePush
    | ScanCodeWaitMsg
    | PicSysPhoto
    | PicPhotoOrAlbum
    | PicWeixin
    | LocationSelect
    | TemplateSendJobFinish
    | MassSendJobFinish
    | PublishJobFinish
    | SubscribeMsgPopup
    | SubscribeMsgChange
    | SubscribeMsgSent
    | UserInfoModified
    | UserAuthorizationRevoke
    | UserAuthorizationCancellation
    | UserEnterTempSession
    | QualificationVerifySuccess
    | QualificationVerifyFail
    | NamingVerifySuccess
    | NamingVerifyFail
    | AnnualRenew
    | VerifyExpired
    | KfCreateSession
    | KfCloseSession
    | KfSwitchSession
    | DebugDemo
)
Message = KnownMessage | UnknownMessage
Event = KnownEvent | OtherEvent | UnknownEvent
Inbound = Message | Event

MESSAGES: dict[str, type[KnownMessage]] = {kind.msgtype: kind for kind in get_args(_OneTypeEach)}
EVENTS: dict[str, type[KnownEvent]] = {
    **{kind.event.lower(): kind for kind in get_args(KnownEvent)},
    "freepublishjobfinish": PublishJobFinish,
}
"""Event types, by name in lower case."""
