"""Tables of erased people and UnionIDs, and of the secret that their pseudonyms are made with."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class Scope(StrEnum):
    """What is erased of a person.

    content: what they said, how they came, what may still be sent. everything: that, and who
    they are at this account. person: everything at every account. The others: one class of data.
    """

    PROFILE = "profile"
    LOCATION = "location"
    PICTURES = "pictures"
    VOICE = "voice"
    INVOICE = "invoice"
    CARD = "card"
    NOT_HELD = "not_held"
    CONTENT = "content"
    EVERYTHING = "everything"
    PERSON = "person"


class ErasedPerson(Base):
    """A person of whom not even the OpenID is left, so that what comes late is known as such.

    scope: content or everything.
    """

    __tablename__ = "erased_people"

    appid: Mapped[str] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    scope: Mapped[Scope]


class ErasedUnionId(Base):
    """A UnionID of somebody who was erased at every account: an OpenID may turn out to have it."""

    __tablename__ = "erased_unionids"

    pseudonym: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class ServiceSecret(Base):
    """A secret that the service drew itself, shared by all processes."""

    __tablename__ = "service_secrets"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]
