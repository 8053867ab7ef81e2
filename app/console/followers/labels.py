"""What the values of followers and their events are called."""

from collections.abc import Mapping
from typing import Final

from app.access.actor import ActorKind
from app.console.audit_labels import ACTORS
from app.console.labels import Label, Level
from app.console.messages import N_
from app.events.models import ConsentState, FollowAction, SubscriptionAction
from app.identity.models import ResolveState
from app.privacy.from_sync import BY_SYNC
from app.privacy.models import Erasure, NeedsPerson, Trigger
from app.privacy.policy import BY_WECHAT
from app.privacy.store import ErasureState

FOLLOWING: Final[Mapping[bool, Label]] = {
    True: Label(N_("follows"), Level.GOOD),
    False: Label(N_("has unfollowed")),
}
FOLLOW_ACTIONS: Final[Mapping[str, str]] = {
    FollowAction.FOLLOW: N_("followed"),
    FollowAction.UNFOLLOW: N_("unfollowed"),
    FollowAction.SCAN: N_("scanned a QR code"),
}
SUBSCRIPTION_ACTIONS: Final[Mapping[str, str]] = {
    SubscriptionAction.POPUP: N_("answered a subscription popup"),
    SubscriptionAction.CHANGE: N_("changed a subscription in the settings"),
    SubscriptionAction.SENT: N_("was sent a subscription notification"),
}
CONSENTS: Final[Mapping[ConsentState, Label]] = {
    ConsentState.ACCEPT: Label(N_("accepted"), Level.GOOD),
    ConsentState.REJECT: Label(N_("rejected"), Level.LOOK),
    ConsentState.BAN: Label(N_("banned by WeChat"), Level.FAULT),
}
# As WeChat writes them in its events; of a delivery that failed it gives the reason instead.
STATUSES: Final[Mapping[str, str]] = {
    **{state.value: label.label for state, label in CONSENTS.items()},
    "success": N_("delivered"),
}
NO_CONSENT: Final = Label(N_("only deliveries are known"))
UNIONIDS: Final[Mapping[ResolveState, Label]] = {
    ResolveState.PENDING: Label(N_("being asked for"), Level.ACTIVE),
    ResolveState.RESOLVED: Label(N_("known"), Level.GOOD),
    ResolveState.UNAVAILABLE: Label(N_("not available"), Level.LOOK),
}
ERASURES: Final[Mapping[ErasureState, Label]] = {
    ErasureState.OPEN: Label(N_("in progress"), Level.ACTIVE),
    ErasureState.OVERDUE: Label(
        N_("overdue"), Level.FAULT, N_("not finished after two days: see the page of the doctor")
    ),
    ErasureState.NEEDS_PERSON: Label(
        N_("needs a person"), Level.LOOK, N_("somebody has to find out who is meant")
    ),
    ErasureState.DONE: Label(N_("finished"), Level.GOOD),
}
ERASURE_TRIGGERS: Final[Mapping[Trigger, str]] = {
    Trigger.UNSUBSCRIBE: N_("the person unfollowed"),
    Trigger.USER_INFO_MODIFIED: N_("WeChat cleaned the profile of the person"),
    Trigger.AUTHORIZATION_REVOKE: N_("the person withdrew the permission (WeChat)"),
    Trigger.AUTHORIZATION_CANCELLATION: N_("the person closed the WeChat account"),
    Trigger.LATE: N_("data of an erased person came afterwards"),
    Trigger.REQUEST: N_("an operator or another system asked for it"),
}
# Who asks for an erasure that no operator and no token asks for.
ERASURE_REQUESTERS: Final[Mapping[str, str]] = {
    BY_WECHAT: N_("WeChat"),
    BY_SYNC: N_("a synchronisation of the followers"),
}
ERASURE_REASONS: Final[Mapping[NeedsPerson, str]] = {
    NeedsPerson.NO_OPENID: N_("WeChat's event names nobody, or more than one person."),
    NeedsPerson.OPEN_PID: N_(
        "WeChat's event names a user of a mini-program's plugin, whom no other push names so."
    ),
    NeedsPerson.UNIONID_IN_PLAIN_MODE: N_(
        "WeChat's event names a UnionID alone, and in plain mode somebody else may have written it."
    ),
}
# The reasons of identity.schemas.OpenIdOut.
REASONS: Final[Mapping[str, str]] = {
    "not_yet_asked": N_("WeChat was not asked yet."),
    "no_answer": N_("WeChat gave no answer; it is asked again."),
    "not_bound": N_("The account is not bound to an Open Platform account."),
    "not_following": N_("WeChat names it for followers alone."),
    "not_an_oa": N_("The mini-program's backend has to report it."),
    "not_answered": N_("WeChat's answer lacked this OpenID."),
    "bad_openid": N_("WeChat does not accept this OpenID."),
    "erased": N_("The person was erased; this OpenID will be erased, too."),
    "unionid_conflict": N_("Another UnionID was named, and WeChat is to decide."),
}
# WeChat's subscribe_scene, in the words of its own statistics.
SCENES: Final[Mapping[str, str]] = {
    "ADD_SCENE_SEARCH": N_("Search for the account"),
    "ADD_SCENE_ACCOUNT_MIGRATION": N_("Account migration"),
    "ADD_SCENE_PROFILE_CARD": N_("Shared contact card"),
    "ADD_SCENE_QR_CODE": N_("QR code"),
    "ADD_SCENE_PROFILE_LINK": N_("Name of the account in an article"),
    "ADD_SCENE_PROFILE_ITEM": N_("Menu of an article"),
    "ADD_SCENE_PAID": N_("After a payment"),
    "ADD_SCENE_WECHAT_ADVERTISEMENT": N_("WeChat advertisement"),
    "ADD_SCENE_REPRINT": N_("Reprint of an article"),
    "ADD_SCENE_LIVESTREAM": N_("Live stream"),
    "ADD_SCENE_CHANNELS": N_("Channels"),
    "ADD_SCENE_WXA": N_("Followed in a mini-program"),
    "ADD_SCENE_OTHERS": N_("Other sources"),
}


def requester_of(erasure: Erasure) -> str | None:
    """Return what asked for an erasure; None if its name is one that somebody chose."""
    if erasure.trigger is not Trigger.REQUEST:
        return ERASURE_REQUESTERS.get(erasure.requested_by)
    return ACTORS[ActorKind.CLI] if erasure.requested_by == ActorKind.CLI else None
