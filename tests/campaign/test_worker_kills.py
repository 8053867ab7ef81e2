"""A worker that is killed while it sends loses nothing, and tells of what may have come twice."""

from pathlib import Path

import pytest

from tests.campaign.worker_kills import kill_workers, stand_in
from tests.service import settings_for


@pytest.mark.parametrize("uncertain_sends", ["resend_once", "hold"])
def test_kills_in_the_middle_of_sends(
    database_url: str, tmp_path: Path, uncertain_sends: str
) -> None:
    settings = settings_for(database_url, tmp_path, uncertain_sends=uncertain_sends)
    with stand_in() as wechat:
        found = kill_workers(settings, rounds=2, replies=8, seed=1, wechat=wechat)

    assert (found.kills, found.replies) == (2, 16)
    assert found.lost == found.untold == found.more_often == 0
    assert found.doubled <= found.told <= found.under_way
    if uncertain_sends == "hold":
        assert found.doubled == 0
        assert found.failed == found.told
    else:
        assert found.failed == 0
