"""Tables of tombstones (erased people and UnionIDs) and of the secret behind the pseudonyms."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class Scope(StrEnum):
    """Which data of a person an erasure removes.

    content: their messages, their scenes and the replies that wait for them. everything: also
    the ids at this account. person: everything at all accounts. Each other value names one class
    of data; not_held is for classes that this service never stores.
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
    """Tombstone of an OpenID: data that arrives late can be recognised without the OpenID itself.

    pseudonym: HMAC of the OpenID, see `tombstones.pseudonyms`. until: data up to then is erased.
    scope: content or everything.
    """

    __tablename__ = "erased_people"

    appid: Mapped[str] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    scope: Mapped[Scope]


class ErasedUnionId(Base):
    """Tombstone of a UnionID whose person was erased at all accounts.

    WeChat may report the UnionID later for an OpenID that was not yet linked to it.
    """

    __tablename__ = "erased_unionids"

    pseudonym: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class ServiceSecret(Base):
    """A secret that the service generated itself; all processes share it.

    value: in plain text. encrypted: by SECRET_KEY. One of them is set.
    """

    __tablename__ = "service_secrets"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes | None]
    encrypted: Mapped[str | None]
