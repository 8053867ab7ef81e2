"""HTTP errors of `/api/campaigns`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from fastapi import HTTPException

from app.api_errors import Detail, InvalidRequest, Problem
from app.campaigns.errors import (
    DoorTaken,
    LongOver,
    NoSuchCampaign,
    NotRunning,
    OtherDoor,
    StaleRevision,
    TooManyCampaigns,
    UnknownDoor,
    UnknownInviter,
    UnknownTarget,
)
from app.codes.errors import BadCodes, KeyReused, NotRedeemed, TooManyCodes, UnknownCode
from app.qrcodes.errors import TooManyCodes as TooManyQrCodes
from app.rules.http.if_match import etag

Responses = dict[int | str, dict[str, Any]]

ETAG: Final[dict[str, Any]] = {
    "headers": {"ETag": {"description": "For If-Match", "schema": {"type": "string"}}}
}
UNKNOWN: Final[Responses] = {404: {"model": Detail, "description": "The campaign does not exist"}}
CONFLICT: Final[Responses] = {
    409: {"model": Detail, "description": "Another campaign has the door, or there is no room"}
}
STALE: Final[Responses] = {
    412: {"model": Detail, "description": "The campaign has been changed since it was read"},
    428: {"model": Detail, "description": "If-Match is missing"},
}


@contextmanager
def http_errors(campaign_id: UUID | None = None) -> Iterator[None]:
    """Turn the errors of campaigns and codes into those of HTTP."""
    try:
        yield
    except NoSuchCampaign:
        raise HTTPException(404, f"campaign {campaign_id} does not exist") from None
    except StaleRevision as stale:
        raise HTTPException(
            412,
            f"campaign {campaign_id} has been changed since it was read and is at revision "
            f"{stale.revision}: read it again, and apply your change to that",
            headers={"ETag": etag(stale.revision)},
        ) from None
    except UnknownDoor as error:
        raise InvalidRequest(
            [Problem(loc=["body", "doors", error.number, "id"], msg=str(error), type="value_error")]
        ) from None
    except UnknownTarget as error:
        raise InvalidRequest(
            [Problem(loc=["body", "target", "appid"], msg=str(error), type="value_error")]
        ) from None
    except OtherDoor as error:
        raise InvalidRequest(
            [Problem(loc=["body", "door", "id"], msg=str(error), type="value_error")]
        ) from None
    except BadCodes as error:
        raise InvalidRequest(
            [Problem(loc=["body"], msg=words, type="value_error") for words in error.problems]
        ) from None
    except UnknownCode as error:
        raise HTTPException(404, str(error)) from None
    except _CONFLICTS as error:
        raise HTTPException(409, str(error)) from None


_CONFLICTS: Final = (
    *(DoorTaken, LongOver, NotRunning, TooManyCampaigns, UnknownInviter),
    *(TooManyCodes, KeyReused, NotRedeemed, TooManyQrCodes),
)
