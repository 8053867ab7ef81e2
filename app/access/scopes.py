"""The scopes of API tokens, and how a route says which one it needs. Pure."""

from enum import StrEnum
from typing import Any, Final


class ApiScope(StrEnum):
    """What an API token may do. No scope includes another one."""

    RULES_READ = "rules:read"
    RULES_WRITE = "rules:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    PEOPLE_ERASE = "people:erase"
    IDENTITIES_WRITE = "identities:write"
    REPLIES_READ = "replies:read"
    REPLIES_RETRY = "replies:retry"
    EVENTS_READ = "events:read"
    WEBHOOKS_WRITE = "webhooks:write"
    LINKS_READ = "links:read"
    LINKS_WRITE = "links:write"
    ARTICLES_WRITE = "articles:write"
    NOTICES_READ = "notices:read"
    NOTICES_WRITE = "notices:write"
    MENUS_READ = "menus:read"
    MENUS_WRITE = "menus:write"
    QRCODES_READ = "qrcodes:read"
    QRCODES_WRITE = "qrcodes:write"
    TAGS_READ = "tags:read"
    TAGS_WRITE = "tags:write"
    ARRIVALS_READ = "arrivals:read"
    ARRIVALS_WRITE = "arrivals:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    CODES_WRITE = "codes:write"
    STATS_READ = "stats:read"
    CHART_NOTES_WRITE = "chart-notes:write"
    ALARMS_READ = "alarms:read"
    ALARMS_WRITE = "alarms:write"
    OPERATIONS_READ = "operations:read"


ALL_SCOPES: Final = frozenset(ApiScope)
# A token with one of these reports about the accounts that it names, and about no others.
REPORTING_SCOPES: Final = frozenset({ApiScope.IDENTITIES_WRITE, ApiScope.ARRIVALS_WRITE})
# Those with which a token may name accounts. A shop that only redeems codes names none.
APPID_SCOPES: Final = REPORTING_SCOPES | {ApiScope.CODES_WRITE}
# The member of OpenAPI in which an operation shows the scope it needs.
SCOPE_MEMBER: Final = "x-required-scope"


def needs(scope: ApiScope) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that a token with this scope may call.

    `scoped_route.ScopedRoute` enforces it.
    """
    return {SCOPE_MEMBER: scope.value}
