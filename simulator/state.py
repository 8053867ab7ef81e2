"""The state of one simulator, in memory and in one process."""

from asyncio import Task
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import Annotated

import httpx
from fastapi import Depends
from starlette.requests import HTTPConnection

from simulator.accounts import Account
from simulator.clock import MovableClock
from simulator.datacube import DatacubeStore
from simulator.drafts import DraftStore
from simulator.errors import ApiError
from simulator.faults import Faults
from simulator.followers import Follower
from simulator.ledger import Kind, Ledger
from simulator.links import LinkStore
from simulator.media import MediaStore
from simulator.menus import MenuStore
from simulator.notices import NoticeStore
from simulator.qrcodes import QrCodeStore
from simulator.quotas import Quotas
from simulator.tags import TagStore
from simulator.tokens import WELL_FORMED, AccountTokens


@dataclass(slots=True)
class State:
    """All data of one simulator.

    client: calls the service. admin_token: of its API, for explanations. pending: pushes whose
    control call has not waited for them.
    """

    client: httpx.AsyncClient
    admin_token: str | None = None
    clock: MovableClock = field(default_factory=MovableClock)
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: defaultdict[str, AccountTokens] = field(
        default_factory=lambda: defaultdict(AccountTokens)
    )
    followers: defaultdict[str, dict[str, Follower]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    datacube: DatacubeStore = field(default_factory=DatacubeStore)
    drafts: DraftStore = field(default_factory=DraftStore)
    media: MediaStore = field(default_factory=MediaStore)
    ledger: Ledger = field(default_factory=Ledger)
    links: LinkStore = field(default_factory=LinkStore)
    # The jsapi_tickets of each account, the newest last.
    tickets: dict[str, list[str]] = field(default_factory=dict)
    quotas: Quotas = field(default_factory=Quotas)
    menus: MenuStore = field(default_factory=MenuStore)
    notices: NoticeStore = field(default_factory=NoticeStore)
    qrcodes: QrCodeStore = field(default_factory=QrCodeStore)
    tags: TagStore = field(default_factory=TagStore)
    faults: Faults = field(default_factory=Faults)
    pending: set[Task[object]] = field(default_factory=set)
    # Starts at the time in nanoseconds: a restarted simulator must not repeat an id that a
    # service has stored.
    message_ids: "count[int]" = field(init=False)

    def __post_init__(self) -> None:
        self.message_ids = count(int(self.clock.wall().timestamp() * 1_000_000) * 1000)

    def owner_of(self, access_token: str) -> Account:
        """Return the account of a valid token. Raises ApiError 40014, 40001 or 42001."""
        if not WELL_FORMED.fullmatch(access_token):
            raise ApiError(40014)
        for appid, tokens in self.tokens.items():
            if access_token in tokens.issued:
                tokens.check(access_token, self.clock.now())
                return self.accounts[appid]
        raise ApiError(40001)

    def follower(self, appid: str, openid: object) -> Follower:
        """Return a person of the account. Raises ApiError 40003 for an unknown OpenID."""
        known = self.followers[appid].get(openid) if isinstance(openid, str) else None
        if known is None:
            raise ApiError(40003)
        return known

    def meet(self, appid: str, openid: str) -> Follower:
        """Return the person with this OpenID. A new person is added, and does not follow yet."""
        return self.followers[appid].setdefault(openid, Follower(appid, openid, person=openid))

    def show(
        self, follower: Follower, via: str, msgtype: str, content: object, **more: object
    ) -> None:
        """Add one line to a follower's chat.

        via: who sent it, or how: follower, passive, customer_service, notice, refused (a
        customer-service message that did not arrive) or system.
        """
        self.ledger.write(
            self.clock.now(),
            Kind.MESSAGE,
            follower.appid,
            follower.openid,
            via=via,
            msgtype=msgtype,
            content=content,
            **more,
        )


def state_of(connection: HTTPConnection) -> State:
    """Return the state of the app that serves the connection."""
    state: State = connection.app.state.simulator
    return state


StateDep = Annotated[State, Depends(state_of)]
