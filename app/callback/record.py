"""Everything that one callback stores: plain values, for the one statement or for the spool.

Records stand as JSON in spools on disk: a field may be added with a default, never renamed.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter

from app.events.from_push import NewFollow, NewSubscription
from app.privacy.policy import ErasureRequest
from app.replies.new_reply import NewReply
from app.replies.send_windows import OpenedWindow
from app.value_class import value_class


@value_class
class Claim:
    """A rule that answers, and how long it may not answer the same follower again."""

    rule_id: int
    cooldown_seconds: int


@value_class
class Record:
    """One verified callback with everything that must be committed with it.

    payload, passive: JSON text. person: whether the openid is a follower (a platform notice
    names a platform account instead). asks: whether WeChat can be asked for its UnionID.
    decided: False when no rules were loaded yet, so that the choice is still to be made.
    drafts: the replies. claims: rules with a cooldown that are to answer, each only if it wins its
    claim. duty: what the push obliges us to erase. signature: of a push in plain mode, 20 bytes.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        ser_json_bytes="base64", val_json_bytes="base64"
    )

    id: UUID
    appid: str
    dedupe_key: bytes
    openid: str
    msgtype: str
    event: str | None
    occurred_at: datetime
    received_at: datetime
    payload: str
    person: bool
    asks: bool
    decided: bool
    rule_id: int | None
    passive: str | None
    window: OpenedWindow | None
    follow: NewFollow | None
    subscriptions: tuple[NewSubscription, ...]
    drafts: tuple[NewReply, ...]
    claims: tuple[Claim, ...] = ()
    duty: ErasureRequest | None = None
    signature: bytes | None = None

    @property
    def has_queued(self) -> bool:
        """Whether replies are queued, which a job sends."""
        return any(draft.expires_at is not None for draft in self.drafts)

    def is_fixed(self, passive: str | None) -> bool:
        """Tell whether a passive reply is the one of these drafts, and the same for everybody."""
        return any(draft.fixed and draft.content == passive for draft in self.drafts)


RECORDS: TypeAdapter[Record] = TypeAdapter(Record)


@value_class
class StoredResult:
    """What became of a record, and what the first copy of it was answered with.

    passive: JSON text of the `outbound` reply to give; None means `success`. first_id: of a
    duplicate, the callback that it repeats.
    """

    passive: str | None
    duplicate: bool = False
    spooled: bool = False
    first_id: UUID | None = None

    @property
    def result(self) -> str:
        """In one word, for metrics."""
        if self.spooled:
            return "spooled"
        return "duplicate" if self.duplicate else "stored"
