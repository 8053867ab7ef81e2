"""ETag and If-Match: an editor who has not seen the newest revision does not overwrite it."""

import re
from typing import Annotated

from fastapi import Header, HTTPException, Request

from app.rules.definition.schemas import RuleOut

_TAG = re.compile(r'\s*"([0-9]{1,18})"\s*')


def etag(number: int) -> str:
    """Return the ETag of a revision."""
    return f'"{number}"'


def etag_of(rule: RuleOut) -> str:
    """Return the ETag of a rule as it is."""
    return etag(rule.revision)


def revisions_in(if_match: str) -> frozenset[int] | None:
    """Return the revisions that an If-Match names; None for `*`, which takes any."""
    if if_match.strip() == "*":
        return None
    tags = (_TAG.fullmatch(part) for part in if_match.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag is not None)


def required(
    if_match: Annotated[
        str | None, Header(description='ETag of the revision that was edited, like "3"')
    ] = None,
) -> frozenset[int] | None:
    """Return the revisions that the request was made for. Raises HTTPException 428 without any."""
    if if_match is None:
        raise HTTPException(
            428,
            "If-Match is missing: send the ETag that the rule was read with, so that nobody "
            "else's change is lost",
        )
    return revisions_in(if_match)


def operator_of(request: Request) -> str:
    """Return who is asking, as histories name them."""
    operator: str = getattr(request.state, "operator", "unknown")
    return operator
