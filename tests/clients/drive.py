"""Drives the service through the Python client that openapi-python-client made.

Arguments: URL of the service, token, AppID and OpenID of a follower who got a reply. It runs with
the Python of the generator, which is not that of the service.
"""

import importlib
import pkgutil
import sys
from typing import Any

import oa_bridge_client
from oa_bridge_client import AuthenticatedClient
from oa_bridge_client.api.replies import list_replies
from oa_bridge_client.api.rules import add_rule, explain_rules, get_rule, replace_rule
from oa_bridge_client.api.users import find_user
from oa_bridge_client.api.webhooks import add_webhook, delete_webhook
from oa_bridge_client.models import (
    Match,
    Question,
    RuleIn,
    RuleReplacement,
    Text,
    TextTrigger,
    TextVia,
    WebhookIn,
)


def import_all() -> None:
    """Import every module of the client."""
    for module in pkgutil.walk_packages(oa_bridge_client.__path__, "oa_bridge_client."):
        importlib.import_module(module.name)


def drive(client: Any, appid: str, openid: str) -> None:  # noqa: ANN401 - generated
    """Go the whole way; raise AssertionError where it ends."""
    rule = RuleIn(
        name="Python",
        trigger=TextTrigger(on="text", match=Match.EXACT, keyword="python"),
        replies=[Text(via=TextVia.PASSIVE, content="一")],
    )
    added = add_rule.sync_detailed(client=client, body=rule)
    assert added.status_code == 201, added.content

    found = explain_rules.sync(client=client, body=Question(text="python", appid=appid))
    assert [winner.rule.name for winner in found.winners] == ["Python"]

    read = get_rule.sync_detailed(added.parsed.id, client=client)
    changed = RuleReplacement.from_dict(read.parsed.to_dict())
    changed.replies[0].content = "二"
    etag = read.headers["etag"]
    answer = replace_rule.sync_detailed(read.parsed.id, client=client, body=changed, if_match=etag)
    assert answer.status_code == 200, answer.content
    assert answer.parsed.replies[0].content == "二"
    stale = replace_rule.sync_detailed(read.parsed.id, client=client, body=changed, if_match=etag)
    assert stale.status_code == 412
    assert "changed since" in stale.parsed.detail

    replies = list_replies.sync(client=client, openid=openid).items
    assert {reply.appid for reply in replies} == {appid}
    person = find_user.sync(client=client, appid=appid, openid=openid)
    assert [one.openid for one in person.openids] == [openid]

    hook = add_webhook.sync(client=client, body=WebhookIn(url="https://crm.example.com/python"))
    assert hook.secret.startswith("whsec_")
    delete_webhook.sync_detailed(hook.id, client=client)


if __name__ == "__main__":
    url, token, appid, openid = sys.argv[1:]
    import_all()
    drive(AuthenticatedClient(base_url=url, token=token), appid, openid)
