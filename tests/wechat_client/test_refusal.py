"""What `/api` answers to a call that WeChat refuses: who may repeat it when."""

from datetime import UTC, datetime, timedelta

import pytest

from app.wechat.errcodes import action_for
from app.wechat.errors import ApiError, TransportError
from app.wechat_client.errors import NoToken, Paused
from app.wechat_client.refusal import refused

NOW = datetime(2026, 11, 28, 15, 30, 0, 500_000, UTC)  # 23:30 in Shanghai


def _error(errcode: int) -> ApiError:
    return ApiError(errcode, "refused", action_for(errcode), "rid-1")


def _paused(cause: ApiError, seconds: float) -> Paused:
    return Paused(cause, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        # The times of the protocol where WeChat names none. Source: protocol 11.
        (_error(44990), "1"),
        (_error(45011), "60"),
        (_error(45009), "1800"),
        (_error(44993), "1800"),
        (_error(85406), "1800"),
        # Until the service calls again, in whole seconds and not before.
        (_paused(_error(45011), 12.2), "13"),
        (_paused(_error(45009), 3600), "3600"),
        (_paused(_error(45011), -5), "1"),
        (NoToken(_paused(_error(45011), 12.2)), "13"),
    ],
)
def test_a_call_that_is_too_much_names_when_it_may_be_repeated(
    error: ApiError, seconds: str
) -> None:
    found = refused(error, NOW)

    assert found.status_code == 429
    assert found.headers == {"Retry-After": seconds}
    assert found.detail.startswith(f"WeChat refuses with errcode {error.errcode}: ")
    assert "rid-1" in found.detail


def test_a_call_that_the_service_puts_off_is_no_answer_that_lacks() -> None:
    put_off = ApiError(None, "draft/add is called 1 times in 60 s at most", action_for(45011))
    found = refused(_paused(put_off, 30), NOW)

    assert found.status_code == 429
    assert found.headers == {"Retry-After": "30"}
    assert found.detail == "draft/add is called 1 times in 60 s at most. Try again later."


@pytest.mark.parametrize(
    "error",
    [
        _error(-1),
        _error(40001),
        _error(48001),
        _paused(_error(48001), 60),
        TransportError("timed out", outcome_unknown=True),
        NoToken(TransportError("timed out", outcome_unknown=False)),
        _paused(TransportError("timed out", outcome_unknown=False), 5),
        NoToken(_paused(TransportError("timed out", outcome_unknown=False), 5)),
        _paused(_paused(TransportError("timed out", outcome_unknown=False), 5), 5),
    ],
)
def test_what_time_alone_does_not_help_is_502(error: ApiError) -> None:
    found = refused(error, NOW)

    assert (found.status_code, found.headers) == (502, None)
