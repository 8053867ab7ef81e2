"""JSON shapes of `/api/identities`: request and response."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.events.query_params import Time
from app.tombstones.subject import PREFIX, is_erased

MAX_REPORTED = 1000


def _not_a_pseudonym(value: str) -> str:
    if is_erased(value):
        raise ValueError(
            f"starts with {PREFIX} and is the pseudonym of an erased person: report WeChat's id"
        )
    return value


# WeChat's own samples pad UnionIDs with blanks. Source: protocol 8.
ReportedId = Annotated[
    str, Field(pattern=r"^\s*[^\x00\s]{1,128}\s*$"), AfterValidator(_not_a_pseudonym)
]


class Identity(BaseModel):
    """One person, as `jscode2session` (or web authorization) returned them.

    logged_in_at: time of the login, with a time zone. It matters only for a person who has been
    erased: a login after the erasure makes the person known again.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    appid: str = Field(
        pattern=r"^wx[0-9a-f]{16}$", description="The account to which the OpenID belongs"
    )
    openid: ReportedId
    unionid: ReportedId
    logged_in_at: Time | None = None


class Identities(BaseModel):
    """Reported identities. An OpenID may be repeated with the same UnionID only."""

    model_config = ConfigDict(extra="forbid")

    identities: list[Identity] = Field(min_length=1, max_length=MAX_REPORTED)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        first: dict[tuple[str, str], tuple[int, str]] = {}
        for index, one in enumerate(self.identities):
            before, unionid = first.setdefault((one.appid, one.openid), (index, one.unionid))
            if unionid != one.unionid:
                raise ValueError(
                    f"identities.{index}.unionid differs from identities.{before}.unionid for the "
                    "same OpenID: report the one that WeChat returned last"
                )
        return self


class Reported(BaseModel):
    """Numbers of identities: received, changed, conflicts, erased.

    changed: had another UnionID before, which is kept as a former one. conflicts: WeChat itself
    named another UnionID, which stays; WeChat is asked again where that is possible. erased: were
    skipped because the person was erased and has not been active since.
    """

    received: int
    changed: int
    conflicts: int
    erased: int
