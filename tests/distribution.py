"""Which tests go to the same test process: those that share programs, which then start once."""

import pytest
from xdist.scheduler import LoadScopeScheduling

E2E = "tests/e2e/"
# These start programs of their own, so they need not wait for those that share the service.
WITH_THEIR_OWN = {
    f"{E2E}{name}.py"
    for name in ("test_database_away", "test_make_run", "test_slow_wechat", "test_startup")
}
# Their fixtures of the module are not built again in each process.
WHOLE_FILES = {*WITH_THEIR_OWN, "tests/simulator/test_wechatpy_client.py"}


class ByService(LoadScopeScheduling):  # type: ignore[misc]  # without types
    """Hands out single tests, except where several share programs; the largest groups go first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        if file in WHOLE_FILES:
            return file
        return E2E if file.startswith(E2E) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByService:
    """Give the tests out by service, whatever `--dist` says."""
    return ByService(config, log)
