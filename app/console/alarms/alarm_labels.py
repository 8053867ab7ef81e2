"""What the values of alarms are called."""

from collections.abc import Mapping
from typing import Final

from app.alarms.kinds import Unit
from app.alarms.models import AlarmReceiver, ReceiverKind
from app.console.labels import Label, Level
from app.console.messages import N_

RECEIVERS: Final[Mapping[ReceiverKind, str]] = {
    ReceiverKind.WECOM: N_("Group robot of WeCom"),
    ReceiverKind.FEISHU: N_("Group robot of Feishu"),
    ReceiverKind.DINGTALK: N_("Group robot of DingTalk"),
    ReceiverKind.EMAIL: N_("E-mail"),
    ReceiverKind.WEBHOOK: N_("Webhook"),
}
UNITS: Final[Mapping[Unit, str]] = {
    Unit.MINUTES: N_("minutes"),
    Unit.COUNT: N_("times"),
    Unit.PERCENT: N_("percent"),
    Unit.FAULT: N_("on or off"),
}
SECURITIES: Final = {
    "tls": N_("TLS, mostly port 465"),
    "starttls": N_("STARTTLS, mostly port 587"),
    "none": N_("none: a relay without a password"),
}
LANGUAGES: Final = {"zh": N_("Chinese"), "en": N_("English")}
TAKES: Final = Label(N_("Takes alarms"), Level.GOOD)
SWITCHED_OFF: Final = Label(N_("Off"))
REFUSES: Final = Label(N_("Does not take alarms"), Level.FAULT)
# A sentence for each field of the form of a receiver that is wrong.
PROBLEMS: Final[Mapping[str, str]] = {
    "name": N_("1 to 60 characters."),
    "url": N_("Write the address that the robot or webhook shows: https://host/path."),
    "secret": N_("Copy the secret as the robot shows it; of a webhook it is whsec_ and base64."),
    "password": N_("Write name and password together, and again if the server is another one."),
    "host": N_("Write the name of the SMTP server, without blanks."),
    "port": N_("A number from 1 to 65535."),
    "username": N_("At most 254 characters."),
    "sender": N_("Write one address, such as alarms@example.com."),
    "recipients": N_("1 to 20 addresses, one on each line."),
}


def state_of(receiver: AlarmReceiver) -> Label:
    """Return the state of a receiver."""
    if not receiver.enabled:
        return SWITCHED_OFF
    return TAKES if receiver.failing_since is None else REFUSES
