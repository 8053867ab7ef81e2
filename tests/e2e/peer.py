"""WeChat as the simulator plays it: pushes, chats, faults and the ledger."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from simulator.demo import ACCOUNT

APPID = ACCOUNT.appid
FIRST_MSG_ID = 24_000_000_000_000_000
# As much as a busy simulator writes out well before its caller gives up.
LEDGER_PAGE = 2_000
PUSHES_SECONDS = 300

Json = dict[str, Any]


def person(number: int, group: str = "e2e") -> str:
    """Return the OpenID of one of many people."""
    return f"o{group}{number:0{27 - len(group)}d}"


def texts(
    urls: Sequence[str],
    count: int,
    *,
    group: str = "e2e",
    first: int = 0,
    text: str = "去商城",
    **more: object,
) -> list[Json]:
    """Return pushes of one text each by `count` people, spread over the services at `urls`.

    One person each, so that an OpenID names its push, and no send window is used up.
    """
    return [
        {
            "openid": person(number, group),
            "text": text,
            "callback_url": f"{urls[number % len(urls)]}/callback/{{appid}}",
            **more,
        }
        for number in range(first, first + count)
    ]


def acknowledged(pushed: Json) -> bool:
    """Tell whether one of the deliveries got an answer that WeChat takes for received."""
    return any(
        delivery["answer"]["verdict"] in {"success", "passive"} for delivery in pushed["deliveries"]
    )


def passive_text(pushed: Json) -> str | None:
    """Return the text of the passive reply."""
    content: str | None = pushed["answer"]["reply"].get("Content")
    return content


@dataclass(frozen=True, slots=True)
class Peer:
    """Calls the simulator at `url`."""

    url: str
    http: httpx.AsyncClient

    async def push(self, **request: object) -> Json:
        """Push once; return the deliveries and the answer."""
        pushed: Json = await self._post("push", request)
        return pushed

    async def push_all(self, pushes: Sequence[Json], *, concurrency: int = 16) -> list[Json]:
        """Push many; return their outcomes in order."""
        outcomes: list[Json] = await self._post(
            "push/batch", {"pushes": pushes, "concurrency": concurrency}
        )
        return outcomes

    async def wait_for_pushes(self) -> None:
        """Return once every push that nobody waits for is delivered or given up."""
        answer = await self.http.post(f"{self.url}/_sim/push/wait", timeout=PUSHES_SECONDS)
        answer.raise_for_status()

    async def fault(self, call: str, **effect: object) -> None:
        """Switch a fault of one API call on, such as `message/custom/send`."""
        await self._post("faults", {"path": f"/cgi-bin/{call}", **effect})

    async def clear_faults(self) -> None:
        """Switch all faults off."""
        (await self.http.delete(f"{self.url}/_sim/faults")).raise_for_status()

    async def ledger(self, kind: str) -> list[Json]:
        """Return every entry of a kind."""
        entries: list[Json] = []
        while True:
            after = entries[-1]["id"] if entries else 0
            answer = await self.http.get(
                f"{self.url}/_sim/ledger",
                params={"kind": kind, "after": after, "limit": LEDGER_PAGE},
            )
            page: list[Json] = answer.raise_for_status().json()
            entries += page
            if len(page) < LEDGER_PAGE:
                return entries

    async def cards(self, group: str = "") -> Counter[str]:
        """Return how many mini-program cards each OpenID of a group was shown."""
        return Counter(
            entry["openid"]
            for entry in await self.ledger("message")
            if entry["via"] == "customer_service"
            and entry["msgtype"] == "miniprogrampage"
            and entry["openid"].startswith(f"o{group}")
        )

    async def chat(self, openid: str) -> list[Json]:
        """Return the lines of one follower's chat."""
        answer = await self.http.get(f"{self.url}/_sim/followers/{openid}/inbox")
        lines: list[Json] = answer.raise_for_status().json()
        return lines

    async def _post(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON of any shape
        answer = await self.http.post(f"{self.url}/_sim/{path}", json=body)
        return answer.raise_for_status().json()
