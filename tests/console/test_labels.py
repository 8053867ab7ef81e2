"""Every value that a page may show has a name."""

from app.access.roles import Role
from app.console.labels import FATES, ROLES
from app.replies.models import ReplyStatus


def test_every_role_and_every_fate_has_a_name() -> None:
    assert set(ROLES) == set(Role)
    assert set(FATES) == set(ReplyStatus)
