"""Identities as `/api/identities` takes them, and what it answers."""

from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from app.tombstones.subject import PREFIX, is_erased

MAX_REPORTED = 1000


def _told_by_wechat(value: str) -> str:
    if is_erased(value):
        raise ValueError(
            f"starts with {PREFIX}, and so stands for somebody erased: report what WeChat told"
        )
    return value


# WeChat's own samples pad UnionIDs with blanks. Source: protocol 8.
ReportedId = Annotated[
    str, Field(pattern=r"^\s*[^\x00\s]{1,128}\s*$"), AfterValidator(_told_by_wechat)
]


class Identity(BaseModel):
    """What `jscode2session` (or web authorisation) told about one person.

    logged_in_at: when they logged in, with a time zone. Only of use for a person who has been
    erased: a login after that makes them known again.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    appid: str = Field(pattern=r"^wx[0-9a-f]{16}$", description="The account that the OpenID is of")
    openid: ReportedId
    unionid: ReportedId
    logged_in_at: AwareDatetime | None = None


class Identities(BaseModel):
    """Reported identities, each OpenID once."""

    model_config = ConfigDict(extra="forbid")

    identities: list[Identity] = Field(min_length=1, max_length=MAX_REPORTED)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        first: dict[tuple[str, str], tuple[int, str]] = {}
        for place, one in enumerate(self.identities):
            before, unionid = first.setdefault((one.appid, one.openid), (place, one.unionid))
            if unionid != one.unionid:
                raise ValueError(
                    f"identities.{place}.unionid differs from identities.{before}.unionid for the "
                    "same OpenID: report the one that WeChat told last"
                )
        return self


class Reported(BaseModel):
    """What became of a report. changed: had another UnionID before; it is kept on record.

    erased: were not taken over, since they have been erased and not heard of since.
    """

    received: int
    changed: int
    erased: int
