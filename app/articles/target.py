"""Which page of a mini-program an article opens, and the mark by which its visits are known. Pure.

Every visit carries the `{ref}` of the article, a ref of its link. All readers of one article share
it. Source: linkage 12.2.
"""

from dataclasses import dataclass

from app import refs
from app.links.models import Link
from app.links.schemas import utm_of
from app.links.target_query import MAX_QUERY, REF, whole_query


class BadTarget(ValueError):
    """An article can't open what the link opens. The text says how to correct the link."""


@dataclass(frozen=True, slots=True)
class ArticleTarget:
    """A page of a mini-program with the query of one article. ref: by which visits are known."""

    appid: str
    path: str
    ref: str


def article_target(link: Link, mark: str | None) -> ArticleTarget:
    """Return what the article with this mark opens. mark: None draws one. Raises BadTarget."""
    if not link.path:
        # Whether a query without a page reaches the home page is not documented.
        raise BadTarget("names no page: set its path, such as pages/index/index")
    ref = refs.of_link(link.id, mark)
    query = whole_query(_with_ref(link.query), link.slug, utm_of(link), ref)
    if len(query) > MAX_QUERY:
        raise BadTarget(
            f"has a query of {len(query)} characters with its utm and {{ref}}: "
            f"shorten it to {MAX_QUERY:,}"
        )
    return ArticleTarget(link.appid, f"{link.path}?{query}", ref)


def _with_ref(query: str) -> str:
    if REF in query:
        return query
    parts = [part for part in query.removeprefix("?").split("&") if part]
    if any(part.partition("=")[0] == refs.PARAMETER for part in parts):
        raise BadTarget(f"has a {refs.PARAMETER} of its own in its query: write it as ref={REF}")
    return "&".join((*parts, f"{refs.PARAMETER}={REF}"))
