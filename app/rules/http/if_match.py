"""ETag and If-Match, so that nobody overwrites a revision that they have not seen."""

import re
from typing import Annotated

from fastapi import Header, HTTPException

from app.rules.definition.schemas import RuleOut

_TAG = re.compile(r'\s*"([0-9]{1,18})"\s*')


def etag(number: int) -> str:
    """Return the ETag of a revision, or of a version of the rules."""
    return f'"{number}"'


def etag_of(rule: RuleOut) -> str:
    """Return the ETag of the present revision of a rule."""
    return etag(rule.revision)


def revisions_in(if_match: str) -> frozenset[int] | None:
    """Return the revisions that an If-Match names; None for `*`, which allows any.

    Parts that are not a number in quotes name no revision.
    """
    if if_match.strip() == "*":
        return None
    tags = (_TAG.fullmatch(part) for part in if_match.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag is not None)


def required(
    if_match: Annotated[
        str | None, Header(description='ETag of the revision that was edited, like "3"')
    ] = None,
) -> frozenset[int] | None:
    """Return the revisions that If-Match names, as a dependency of routes; see `revisions_in`.

    Raises HTTPException 428 if the header is missing.
    """
    if if_match is None:
        raise HTTPException(
            428,
            "If-Match is missing: send the ETag with which the rule was read, so that no other "
            "change is lost",
        )
    return revisions_in(if_match)
