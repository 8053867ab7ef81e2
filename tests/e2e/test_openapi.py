"""schemathesis: the running service keeps to its own OpenAPI, whatever it is asked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.stack import BEARER, Processes

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
Case: TypeAlias = schemathesis.Case[Any]
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

UNAUTHORIZED = 401
# Each call with a wrong token waits for a second, and no more than a hundred may wait.
AT_ONCE = 40


def _each_operation(processes: Processes) -> list[Operation]:
    schema = schemathesis.openapi.from_url(f"{processes.webs[0].url}/openapi.json")
    found = list(schema.get_all_operations())
    usable = [one.ok() for one in found if isinstance(one, Ok)]
    assert len(usable) == len(found)
    return usable


def _try(operation: Operation, examples: int, ask: Callable[[Case], None]) -> None:
    """Call `ask` with the same made-up requests each time."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask_each(case: Case) -> None:
        ask(case)

    ask_each()


def test_every_answer_is_one_that_the_openapi_tells_of(processes: Processes) -> None:
    def ask(case: Case) -> None:
        case.call_and_validate(headers=BEARER, checks=CHECKS, timeout=10)

    operations = _each_operation(processes)
    assert len(operations) > 10
    for operation in operations:
        _try(operation, 10, ask)


def test_without_the_token_every_api_call_is_401_and_nothing_else(processes: Processes) -> None:
    def status(case: Case) -> int:
        wrong = {"Authorization": "Bearer no-such-token"}
        answered: int = case.call(headers=wrong, timeout=60).status_code
        return answered

    operations = [one for one in _each_operation(processes) if one.path.startswith("/api/")]
    assert len(operations) > 5
    cases: list[Case] = []
    for operation in operations:
        _try(operation, 2, cases.append)
    with ThreadPoolExecutor(AT_ONCE) as callers:
        found = list(callers.map(status, cases))

    others = [
        case.as_curl_command()
        for case, one in zip(cases, found, strict=True)
        if one != UNAUTHORIZED
    ]
    assert others == []
