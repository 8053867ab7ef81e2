"""Signs deliveries by the Standard Webhooks specification 1.0, with its library. Pure."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from standardwebhooks import Webhook as Signer

SECRET_BYTES = 32
# What receivers know an event by begins with it.
MESSAGE_PREFIX = "msg_"


@dataclass(frozen=True, slots=True)
class Signed:
    """A body with the headers of its signature."""

    body: bytes
    headers: dict[str, str]


def new_secret() -> str:
    """Return a signing secret: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(body: bytes, *, event_id: UUID, keys: Sequence[str], at: datetime) -> Signed:
    """Sign a body with every key, the current one first.

    event_id: the same in each attempt, so that a receiver can recognise a repeated event. at: time
    of the attempt, in UTC.
    """
    message_id = f"{MESSAGE_PREFIX}{event_id.hex}"
    text = body.decode()
    return Signed(
        body,
        {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(Signer(key).sign(message_id, at, text) for key in keys),
        },
    )
