"""ETag and If-Match, so that nobody overwrites a revision that they have not seen."""

import re
from typing import Annotated

from fastapi import Header, HTTPException

from app.api_errors import InvalidRequest, Problem
from app.rules.definition.schemas import RuleOut

# Quoted as it was sent, without quotes, or marked as weak by a proxy that compresses.
_TAG = re.compile(r'\s*(?:(?:W/)?"([0-9]{1,18})"|([0-9]{1,18}))\s*')

_NOT_A_TAG = 'is not an ETag of this API: send the one that you read, like "3", or * for any'

IfMatch = Annotated[
    str | None, Header(description='ETag of the revision that was edited, like "3"; * for any')
]


def etag(number: int) -> str:
    """Return the ETag of a revision, or of a version of the rules."""
    return f'"{number}"'


def etag_of(rule: RuleOut) -> str:
    """Return the ETag of the present revision of a rule."""
    return etag(rule.revision)


def revisions_in(if_match: str) -> frozenset[int] | None:
    """Return the revisions that an If-Match names; None for `*`, which allows any.

    Raises InvalidRequest for a part that is not an ETag of this API.
    """
    if if_match.strip() == "*":
        return None
    tags = [_TAG.fullmatch(part) for part in if_match.split(",")]
    if None in tags:
        raise InvalidRequest([Problem(loc=["header", "If-Match"], msg=_NOT_A_TAG, type="etag")])
    return frozenset(int(tag[1] or tag[2]) for tag in tags if tag is not None)


def required(
    if_match: IfMatch = None,
) -> frozenset[int] | None:
    """Return the revisions that If-Match names, as a dependency of routes; see `revisions_in`.

    Raises HTTPException 428 if the header is missing, and InvalidRequest if it is not an ETag.
    """
    if if_match is None:
        raise HTTPException(
            428,
            "If-Match is missing: send the ETag that you read, so that no other change is lost",
        )
    return revisions_in(if_match)
