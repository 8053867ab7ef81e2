"""Webhooks in front of the console."""

from tests.console.people import lives
from tests.service import Json, Service

URL = "https://crm.example.com/hooks/a-token-in-the-path"
HOSTILE = "<b onclick=x>\u202e'\""


async def hook(service: Service, **more: object) -> str:
    """Add a webhook; return its id."""
    answer = await service.api("POST", "webhooks", json={"url": URL, **more})
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return str(found["id"])


async def a_list(service: Service) -> str:
    """Make a list of webhooks."""
    await hook(service, description=HOSTILE)
    await hook(service, enabled=False)
    return "/webhooks"


async def with_deliveries(service: Service) -> str:
    """Make a webhook with deliveries that wait; return the path of its page."""
    found = await hook(service, description=HOSTILE, types=["follow.*", "subscription.popup"])
    await lives(service)
    return f"/webhooks/{found}"


async def a_replay(service: Service) -> str:
    """Return the path of a replay that sends nothing."""
    return f"/webhooks/{await hook(service)}/replay"


async def a_test(service: Service) -> str:
    """Test a webhook; return the path of the page of the test."""
    webhook_id = await hook(service)
    answer = await service.api("POST", f"webhooks/{webhook_id}/test")
    assert answer.status_code == 202, answer.text
    return f"/webhooks/{webhook_id}/test/{answer.json()['id']}"
