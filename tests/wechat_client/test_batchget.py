"""A bad OpenID costs a few more calls, and nobody else their answer."""

from collections.abc import Sequence

import pytest

from app.wechat.api_responses import UserInfo
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.ids import OpenId
from app.wechat_client.batchget import BAD_OPENID, batchget_halving

PEOPLE = [OpenId(f"o{number}") for number in range(8)]


class Calls:
    """WeChat, which refuses a call that names one of the bad OpenIDs."""

    def __init__(self, bad: Sequence[OpenId], errcode: int = BAD_OPENID) -> None:
        self.made: list[list[OpenId]] = []
        self._bad = set(bad)
        self._errcode = errcode

    async def __call__(self, openids: Sequence[OpenId]) -> list[UserInfo]:
        self.made.append(list(openids))
        if self._bad.intersection(openids):
            raise ApiError(self._errcode, "invalid openid", Action.PERMANENT)
        return [UserInfo(openid, True, None, None, None, None, None) for openid in openids]


async def test_without_a_bad_openid_there_is_one_call() -> None:
    calls = Calls([])

    infos, bad = await batchget_halving(calls, PEOPLE)

    assert [info.openid for info in infos] == PEOPLE
    assert bad == []
    assert calls.made == [PEOPLE]


async def test_bad_openids_are_found_by_halving_and_all_others_are_answered() -> None:
    calls = Calls([PEOPLE[1], PEOPLE[6]])

    infos, bad = await batchget_halving(calls, PEOPLE)

    assert [info.openid for info in infos] == [*PEOPLE[:1], *PEOPLE[2:6], PEOPLE[7]]
    assert bad == [PEOPLE[1], PEOPLE[6]]
    assert len(calls.made) == 11


async def test_any_other_error_is_raised() -> None:
    calls = Calls([PEOPLE[1]], errcode=48001)

    with pytest.raises(ApiError) as raised:
        await batchget_halving(calls, PEOPLE)

    assert raised.value.errcode == 48001
    assert calls.made == [PEOPLE]
