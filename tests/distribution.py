"""Which tests go to the same test process: those that share programs, which then start once."""

import re

import pytest
from xdist.scheduler import LoadScopeScheduling

E2E = "tests/e2e/"
# These start programs of their own, so they need not wait for those that share the service. One
# after the other: with more programs at once, each would wait for the processor.
WITH_THEIR_OWN = {
    f"{E2E}{name}.py"
    for name in ("test_database_away", "test_make_run", "test_slow_wechat", "test_startup")
}
# These run in a browser, which then starts once.
BROWSER = re.compile(r"tests/console/test_(browser|components|\w+_in_browser)\.py")
# Its simulator is not started again in each process.
WHOLE_FILES = {"tests/simulator/test_wechatpy_client.py"}


class ByService(LoadScopeScheduling):  # type: ignore[misc]  # without types
    """Hands out single tests, except where several share programs; the largest groups go first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        if file in WITH_THEIR_OWN:
            return "with programs of their own"
        if file.startswith(E2E):
            return E2E
        if BROWSER.fullmatch(file):
            return "in a browser"
        return file if file in WHOLE_FILES else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByService:
    """Give the tests out by service, whatever `--dist` says."""
    return ByService(config, log)
