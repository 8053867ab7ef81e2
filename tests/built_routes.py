"""FastAPI analyses the routes of each application anew; the tests let it do so once a process."""

from dataclasses import replace
from typing import Any

from fastapi import routing

_KEPT = "_built_for_tests"


def share_built_routes() -> None:
    """Let every application of this process use what was built of the same route for another.

    A test has an application of its own, and building its routes takes longer than most tests do.
    What is built depends on the application only through its `dependency_overrides`, which nothing
    here uses. A running service builds its own, as the tests of whole processes see.
    """
    build = routing._EffectiveRouteContext.from_api_route

    def build_once(*, original_route: Any, include_context: Any) -> Any:  # noqa: ANN401 - FastAPI's own
        kept = vars(original_route).setdefault(_KEPT, [])
        wanted = replace(include_context, dependency_overrides_provider=None)
        for included_so, built in kept:
            if included_so == wanted:
                return built
        built = build(original_route=original_route, include_context=include_context)
        kept.append((wanted, built))
        return built

    routing._EffectiveRouteContext.from_api_route = build_once  # type: ignore[method-assign]
