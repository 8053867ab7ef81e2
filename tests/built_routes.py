"""FastAPI analyses the routes of each application anew; the tests let it do so once a process."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import fastapi_offline
from fastapi import routing
from fastapi.dependencies import models

_KEPT = "_built_for_tests"
_CLASSIFIED = (
    "_is_gen_callable_cached",
    "_is_async_gen_callable_cached",
    "_is_coroutine_callable_cached",
)


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


def forget_applications() -> None:
    """Let the applications of earlier tests go.

    FastAPI keeps what kind of function each of the last 4096 is. That of the page /docs belongs to
    one application, and holds it with all that it compiled.
    """
    for name in _CLASSIFIED:
        setattr(models, name, _without_docs(getattr(models, name)))


def _without_docs(cached: Any) -> Callable[[Any], bool]:  # noqa: ANN401 - functools' own
    def classify(identity: Any) -> bool:  # noqa: ANN401 - FastAPI's own
        of_docs = getattr(identity.call, "__module__", "").startswith(fastapi_offline.__name__)
        return bool((cached.__wrapped__ if of_docs else cached)(identity))

    return classify
