"""What the actions of the audit log, and who does them to what, are called."""

from collections.abc import Mapping
from typing import Final

from app.access.actions import Action
from app.access.actor import ActorKind, SubjectKind
from app.console.messages import N_

ACTIONS: Final[Mapping[str, str]] = {
    Action.RULE_ADDED: N_("added a rule"),
    Action.RULE_CHANGED: N_("changed a rule"),
    Action.RULE_RESTORED: N_("restored a rule"),
    Action.RULE_DELETED: N_("deleted a rule"),
    Action.RULES_IMPORTED: N_("imported rules"),
    Action.WEBHOOK_ADDED: N_("added a webhook"),
    Action.WEBHOOK_CHANGED: N_("changed a webhook"),
    Action.WEBHOOK_DELETED: N_("deleted a webhook"),
    Action.WEBHOOK_SECRET_ROTATED: N_("gave a webhook a new secret"),
    Action.WEBHOOK_PINGED: N_("tested a webhook"),
    Action.WEBHOOK_REPLAYED: N_("replayed events to a webhook"),
    Action.LINK_ADDED: N_("added a link"),
    Action.LINK_CHANGED: N_("changed a link"),
    Action.LINK_DELETED: N_("deleted a link"),
    Action.NOTICES_STARTED: N_("sent notices to an audience"),
    Action.NOTICES_PAUSED: N_("paused a send of notices"),
    Action.NOTICES_RESUMED: N_("resumed a send of notices"),
    Action.NOTICES_STOPPED: N_("stopped a send of notices"),
    Action.REPLY_RETRIED: N_("retried a reply"),
    Action.REPLIES_RETRIED: N_("retried many replies"),
    Action.MESSAGE_SHOWN: N_("looked at a masked value"),
    Action.ERASURE_REQUESTED: N_("erased a person"),
    Action.ERASURE_CLOSED: N_("closed an erasure"),
    Action.SECRETS_REWRITTEN: N_("encrypted the stored secrets anew"),
    Action.IDENTITIES_REPORTED: N_("reported UnionIDs"),
    Action.FOLLOWER_SHOWN: N_("looked at an OpenID"),
    Action.OPERATOR_ADDED: N_("added an operator"),
    Action.OPERATOR_ROLE_CHANGED: N_("changed a role"),
    Action.OPERATOR_DISABLED: N_("disabled an operator"),
    Action.OPERATOR_ENABLED: N_("enabled an operator"),
    Action.SIGN_IN_LINK_MADE: N_("made a sign-in link"),
    Action.SIGNED_IN: N_("signed in"),
    Action.SIGNED_OUT: N_("signed out"),
    Action.SESSION_REVOKED: N_("ended a session"),
    Action.TOKEN_ADDED: N_("added a token"),
    Action.TOKEN_REVOKED: N_("revoked a token"),
}
ACTORS: Final[Mapping[str, str]] = {
    ActorKind.OPERATOR: N_("operator"),
    ActorKind.TOKEN: N_("API token"),
    ActorKind.ADMIN_TOKEN: N_("ADMIN_TOKENS"),
    ActorKind.CLI: N_("command"),
}
SUBJECTS: Final[Mapping[str, str]] = {
    SubjectKind.RULE: N_("rule"),
    SubjectKind.RULES: N_("rules"),
    SubjectKind.WEBHOOK: N_("webhook"),
    SubjectKind.LINK: N_("link"),
    SubjectKind.NOTICE_SEND: N_("send of notices"),
    SubjectKind.REPLY: N_("reply"),
    SubjectKind.REPLIES: N_("replies"),
    SubjectKind.MESSAGE: N_("message"),
    SubjectKind.MESSAGES: N_("messages"),
    SubjectKind.ERASURE: N_("erasure"),
    SubjectKind.ACCOUNT: N_("account"),
    SubjectKind.FOLLOWER: N_("follower"),
    SubjectKind.OPERATOR: N_("operator"),
    SubjectKind.SESSION: N_("session"),
    SubjectKind.TOKEN: N_("API token"),
    SubjectKind.SECRETS: N_("secrets"),
}
