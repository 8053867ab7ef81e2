"""The actions that the audit log records."""

from enum import StrEnum


class Action(StrEnum):
    """What was done. A name never changes, since rows hold it."""

    RULE_ADDED = "rule.added"
    RULE_CHANGED = "rule.changed"
    RULE_RESTORED = "rule.restored"
    RULE_DELETED = "rule.deleted"
    RULES_IMPORTED = "rules.imported"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105 - a name, no secret
    WEBHOOK_PINGED = "webhook.pinged"
    WEBHOOK_REPLAYED = "webhook.replayed"
    LINK_ADDED = "link.added"
    LINK_CHANGED = "link.changed"
    LINK_DELETED = "link.deleted"
    NOTICES_STARTED = "notices.started"
    NOTICES_PAUSED = "notices.paused"
    NOTICES_RESUMED = "notices.resumed"
    NOTICES_STOPPED = "notices.stopped"
    REPLY_RETRIED = "reply.retried"
    REPLIES_RETRIED = "replies.retried"
    MESSAGE_SHOWN = "message.shown"
    ERASURE_REQUESTED = "erasure.requested"
    ERASURE_CLOSED = "erasure.closed"
    SECRETS_REWRITTEN = "secrets.rewritten"
    IDENTITIES_REPORTED = "identities.reported"
    FOLLOWER_SHOWN = "follower.shown"
    OPERATOR_ADDED = "operator.added"
    OPERATOR_ROLE_CHANGED = "operator.role_changed"
    OPERATOR_DISABLED = "operator.disabled"
    OPERATOR_ENABLED = "operator.enabled"
    SIGN_IN_LINK_MADE = "sign_in_link.made"
    SIGNED_IN = "session.started"
    SIGNED_OUT = "session.ended"
    SESSION_REVOKED = "session.revoked"
    TOKEN_ADDED = "token.added"  # noqa: S105 - a name, no secret
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - a name, no secret
