"""The form of a receiver: what is typed, and what is wrong with it."""

from typing import Self

from pydantic import BaseModel, Field, ValidationError

from app.alarms.check_receiver import SIGNING
from app.alarms.models import AlarmReceiver, ReceiverKind
from app.alarms.schemas import Mail, ReceiverIn

_TEXT = 10_000


class ReceiverForm(BaseModel):
    """A receiver as typed. Boxes are "on" or nothing, as a browser sends them.

    url, secret, password: empty for what is stored. unsigned: without a signature from now on.
    """

    name: str = Field(default="", max_length=_TEXT)
    language: str = Field(default="zh", max_length=10)
    enabled: str = Field(default="", max_length=10)
    url: str = Field(default="", max_length=_TEXT)
    secret: str = Field(default="", max_length=_TEXT)
    unsigned: str = Field(default="", max_length=10)
    host: str = Field(default="", max_length=_TEXT)
    port: str = Field(default="465", max_length=20)
    security: str = Field(default="tls", max_length=20)
    username: str = Field(default="", max_length=_TEXT)
    password: str = Field(default="", max_length=_TEXT)
    sender: str = Field(default="", max_length=_TEXT)
    recipients: str = Field(default="", max_length=_TEXT)

    @classmethod
    def of(cls, receiver: AlarmReceiver) -> Self:
        """Return the form of a stored receiver, without its secrets."""
        form = cls(
            name=receiver.name,
            language=receiver.language,
            enabled="on" if receiver.enabled else "",
        )
        if receiver.mail is None:
            return form
        mail = Mail.model_validate(receiver.mail)
        return form.model_copy(
            update={
                "host": mail.host,
                "port": str(mail.port),
                "security": mail.security.value,
                "username": mail.username,
                "sender": mail.sender,
                "recipients": "\n".join(mail.recipients),
            }
        )

    def read(self, kind: ReceiverKind) -> tuple[ReceiverIn | None, set[str]]:
        """Return the receiver, or the names of the fields that are wrong."""
        values: dict[str, object] = {
            "name": self.name.strip(),
            "kind": kind,
            "language": self.language,
            "enabled": bool(self.enabled),
        }
        if kind is ReceiverKind.EMAIL:
            values |= {"mail": self._mail(), "password": self._password()}
        else:
            values["url"] = self.url.strip() or None
        if kind in SIGNING:
            values["secret"] = "" if self.unsigned else self.secret.strip() or None
        try:
            return ReceiverIn.model_validate(values), set()
        except ValidationError as error:
            # Of a member of mail the second name is that of the field.
            return None, {
                str(one["loc"][1] if one["loc"][0] == "mail" else one["loc"][0])
                for one in error.errors()
            }

    def _mail(self) -> dict[str, object]:
        return {
            "host": self.host.strip(),
            "port": self.port.strip(),
            "security": self.security,
            "username": self.username.strip(),
            "sender": self.sender.strip(),
            "recipients": self.recipients.split(),
        }

    def _password(self) -> str | None:
        if not self.username.strip():
            return ""  # nobody signs in
        return self.password or None
