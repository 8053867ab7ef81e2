"""The request of a control call for a push."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.wechat.crypto import Format
from simulator.accounts import Account, DeliveryPolicy, Mode
from simulator.demo import OPENIDS
from simulator.documents import JsonObject


class PushRequest(BaseModel):
    """One push: `text`, or `event`, or another `msgtype`, or a raw `document`.

    appid: None: the first account. openid: the person who acts; None: the sender of a raw document,
    or the first demonstration follower. event_key: of an event, such as a menu key or a scene.
    fields: further members of the document. msg_id, create_time: given to push the same message
    again. mode, format, callback_url, delivery: replace the settings of the account.
    """

    model_config = ConfigDict(extra="forbid")

    appid: str | None = None
    openid: str | None = None
    text: str | None = None
    event: str | None = None
    event_key: str | None = None
    msgtype: str | None = None
    fields: JsonObject = Field(default_factory=dict)
    document: str | None = None
    msg_id: int | None = None
    create_time: int | None = None
    mode: Mode | None = None
    format: Format | None = None
    callback_url: str | None = None
    delivery: DeliveryPolicy | None = None
    wait: bool = Field(
        default=True, description="False: the response does not wait for the deliveries"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = (self.text, self.event, self.msgtype, self.document)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("exactly one of text, event, msgtype, document")
        return self

    def sender(self, document: JsonObject) -> str:
        """Return the OpenID of the person who acts. document: the members of a raw one, else {}."""
        return self.openid or str(document.get("FromUserName") or OPENIDS[0])

    def adjusted(self, account: Account) -> Account:
        """Return the account with the settings that this push replaces."""
        replaced = {
            "mode": self.mode,
            "format": self.format,
            "callback_url": self.callback_url,
            "delivery": self.delivery,
        }
        return account.model_copy(update={k: v for k, v in replaced.items() if v is not None})

    def members(self, original_id: str, now: int, new_id: int) -> JsonObject:
        """Return the members of the document in the platform's order.

        now: Unix seconds. new_id: the MsgId if the request gives none.
        """
        members: JsonObject = {
            "ToUserName": original_id,
            "FromUserName": self.sender({}),
            "CreateTime": now if self.create_time is None else self.create_time,
        }
        if self.event is not None:
            members |= {"MsgType": "event", "Event": self.event}
            if self.event_key is not None:
                members["EventKey"] = self.event_key
            return members | self.fields
        members["MsgType"] = self.msgtype or "text"
        if self.text is not None:
            members["Content"] = self.text
        return members | self.fields | {"MsgId": self.msg_id or new_id}


class PushBatch(BaseModel):
    """Several pushes, at most `concurrency` of them at a time."""

    model_config = ConfigDict(extra="forbid")

    pushes: list[PushRequest]
    concurrency: int = Field(default=16, ge=1, le=1024)
