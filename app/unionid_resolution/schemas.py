"""JSON shapes of `/api/identities`: request and response."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from app.api_model import ApiModel, Time
from app.tombstones.subject import PREFIX, is_erased

MAX_REPORTED = 1000

EXAMPLES: Final = {
    "login": {
        "summary": "One login",
        "value": {
            "identities": [
                {
                    "appid": "wx0123456789abcdef",
                    "openid": "oLVPpjqs9BhvzwPj5A-vTYAX3GLc",
                    "unionid": "o6_bmasdasdsad6_2sgVt7hMZOPfL",
                    "logged_in_at": "2026-11-24T12:00:00+08:00",
                }
            ]
        },
    }
}
"""Of bodies in the OpenAPI document."""


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


class Identity(ApiModel):
    """One person, as `jscode2session` (or web authorization) returned them."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    appid: str = Field(
        pattern=r"^wx[0-9a-f]{16}$", description="The account to which the OpenID belongs"
    )
    openid: ReportedId
    """The person at this account."""
    unionid: ReportedId
    """The person at all accounts."""
    logged_in_at: Time | None = None
    """Time of the login, with a time zone. It matters only for a person who has been erased: a
    login after the erasure makes the person known again.
    """


class Identities(ApiModel):
    """Reported identities. An OpenID may be repeated with the same UnionID only."""

    model_config = ConfigDict(extra="forbid")

    identities: list[Identity] = Field(min_length=1, max_length=MAX_REPORTED)
    """Up to 1,000 identities."""

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


class Reported(ApiModel):
    """What became of the reported identities."""

    received: int
    """How many were reported."""
    changed: int
    """How many had another UnionID before, which is kept as a former one."""
    conflicts: int
    """For how many WeChat itself named another UnionID, which stays; WeChat is asked again where
    that is possible.
    """
    erased: int
    """How many were skipped because the person was erased and has not been active since."""
