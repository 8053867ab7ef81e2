"""Who does something, and to what: the two sides of an entry in the audit log."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class ActorKind(StrEnum):
    """In which way somebody acts.

    operator: in the console. token: through `/api` with a named token. admin_token: through `/api`
    with one of ADMIN_TOKENS. cli: with a command of `oa-bridge`.
    """

    OPERATOR = "operator"
    TOKEN = "token"  # noqa: S105 - a name, no secret
    ADMIN_TOKEN = "admin_token"  # noqa: S105 - a name, no secret
    CLI = "cli"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    name: of the operator or token; for an admin token the first 8 hex digits of its SHA-256; `cli`
    for a command. address: the IP address; for a command, user and host; None if it is not known.
    """

    kind: ActorKind
    name: str
    address: str | None = None


class SubjectKind(StrEnum):
    """What kind of thing an action changes or shows.

    follower: the id is the pseudonym that the person would have after an erasure.
    """

    RULE = "rule"
    RULES = "rules"
    WEBHOOK = "webhook"
    ALARM_RECEIVER = "alarm_receiver"
    ALARM_THRESHOLD = "alarm_threshold"
    LINK = "link"
    MENU = "menu"
    QRCODE = "qrcode"
    QRCODES = "qrcodes"
    TAG = "tag"
    TAG_RUN = "tag_run"
    CAMPAIGN = "campaign"
    NOTICE_SEND = "notice_send"
    CHART_NOTE = "chart_note"
    REPLY = "reply"
    REPLIES = "replies"
    MESSAGE = "message"
    MESSAGES = "messages"
    ERASURE = "erasure"
    ACCOUNT = "account"
    FOLLOWER = "follower"
    OPERATOR = "operator"
    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a name, no secret
    SECRETS = "secrets"


class Subject(NamedTuple):
    """What is changed. id: as the API shows it; never an OpenID or UnionID."""

    kind: SubjectKind
    id: str
