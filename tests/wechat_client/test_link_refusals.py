"""What becomes of each errcode that WeChat gives to a call about menus, QR codes, links or pages.

One table: the API, the errcode, and its outcome. Source: protocol 9 and 11; linkage 1.6, 4 to 6.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, TypeAlias

import pytest
from sqlalchemy import delete

from app.jssdk.models import JsapiTicket
from app.settings import Settings
from app.wechat.errcodes import Language, explain
from app.wechat.ids import AppId
from app.wechat_client.pauses import FIRST_PAUSE, TOO_MANY_THIS_MINUTE, next_midnight
from app.wechat_client.problems import Api, ApiProblems
from app.worker import Jobs
from simulator.ledger import Kind
from tests.links import makers as links
from tests.menus import publishing as menus
from tests.menus.makers import click, for_tag, menu
from tests.qrcodes import makers as qrcodes
from tests.service import (
    APPID,
    CARD_APPID,
    OPENID,
    Json,
    Service,
    WeChat,
    WorldClock,
    clock,
    jobs,
    running,
    settings_for,
    wechat,
)

pytestmark = pytest.mark.asyncio
__all__ = ["clock", "jobs", "wechat"]


class Outcome(StrEnum):
    """What becomes of the work whose call WeChat refused.

    REFUSED: the work itself is at fault; it waits for a correction, and other work goes on.
    RENEWED: the call is made again at once, with a new access token. AGAIN: other work goes on, and
    the call is made again within a minute. MINUTE, ACCOUNT: no call of this API is made for a
    minute, DAY: before midnight in Shanghai; then one probes.
    """

    RENEWED = "renewed"
    REFUSED = "refused"
    AGAIN = "again"
    MINUTE = "minute"
    ACCOUNT = "account"
    DAY = "day"


Table: TypeAlias = Mapping[int, Outcome]

COMMON: Table = {
    **dict.fromkeys((40001, 40014, 42001), Outcome.RENEWED),
    -1: Outcome.AGAIN,
    **dict.fromkeys((40164, 48001, 48004, 50002), Outcome.ACCOUNT),
    45009: Outcome.DAY,
    45011: Outcome.MINUTE,
    **dict.fromkeys((40097, 43002, 47001), Outcome.REFUSED),
}
MENU: Table = {
    **COMMON,
    **dict.fromkeys(
        (40007, *range(40015, 40029), 40033, 40054, 40055, 40119, 40165, 40166, 45064, 53600),
        Outcome.REFUSED,
    ),
}
CONDITIONAL: Table = {
    **COMMON,
    **dict.fromkeys((40018, 40166, 45064, 65301), Outcome.REFUSED),
    **dict.fromkeys((*range(65303, 65315), 65316, 65317, 65320), Outcome.REFUSED),
}
LINK: Table = {
    **COMMON,
    **dict.fromkeys((40165, 40212, 85079, 85088, 85401, 85402, 85403, 85405), Outcome.REFUSED),
    **dict.fromkeys((40002, 40013, 85407, 85408), Outcome.ACCOUNT),
    44990: Outcome.AGAIN,
    **dict.fromkeys((44993, 85406), Outcome.DAY),
}
SHORT_LINK: Table = {
    **COMMON,
    **dict.fromkeys((40066, 40225, 85079, 85400), Outcome.REFUSED),
    **dict.fromkeys((40013, 43104), Outcome.ACCOUNT),
}
CODE: Table = {
    **COMMON,
    **dict.fromkeys((40129, 40169, 41030, 45029, 85079, 85096), Outcome.REFUSED),
}
TABLE: Mapping[Api, Table] = {
    "menu/create": MENU,
    "menu/addconditional": CONDITIONAL,
    "menu/trymatch": {**COMMON, 65302: Outcome.REFUSED},
    "qrcode/create": {**COMMON, **dict.fromkeys((40052, 40053), Outcome.REFUSED)},
    "wxa/generate_urllink": LINK,
    "wxa/generatescheme": LINK,
    "wxa/genwxashortlink": SHORT_LINK,
    "wxa/getwxacodeunlimit": CODE,
    "ticket/getticket": {code: one for code, one in COMMON.items() if one is not Outcome.REFUSED},
}


RID = re.compile(r"rid\W+[0-9a-f]{8}-")


class Work(ABC):
    """Something for which one API of WeChat is called."""

    appid: ClassVar[str] = APPID
    languages: ClassVar[Sequence[Language]] = ("en", "zh")

    def __init__(self, api: Api, service: Service, jobs: Jobs, wechat: WeChat) -> None:
        self.api, self.service, self.jobs, self.wechat = api, service, jobs, wechat

    @property
    def path(self) -> str:
        """Of the call."""
        return f"/{self.api}" if self.api.startswith("wxa/") else f"/cgi-bin/{self.api}"

    @property
    def problems(self) -> ApiProblems:
        """What the process knows that makes the calls."""
        return self.jobs.tokens.problems

    def calls(self) -> int:
        """Return how often the API was called so far."""
        entries = self.wechat.state.ledger.read(kind=Kind.API_CALL, limit=100_000)
        return sum(entry.facts["path"] == self.path for entry in entries)

    @abstractmethod
    async def begin(self) -> None:
        """Do what comes before all work."""

    @abstractmethod
    async def order(self) -> None:
        """Ask the service for something new."""

    @abstractmethod
    async def run(self) -> None:
        """Let what was ordered be done as far as it can."""

    @abstractmethod
    async def told(self, language: Language) -> tuple[str, datetime | None]:
        """Return what an operator is told of the refusal, and when the call is made again."""

    async def is_harmless(self) -> bool:
        """Return whether all is as before the work that is refused."""
        return True

    @abstractmethod
    async def is_done_once(self) -> bool:
        """Return whether what was ordered is there, and nothing twice."""


def words_of(problem: Json) -> str:
    """Return what a kept error says."""
    return "{errcode} {meaning} {fix} (rid {rid})".format_map(problem)


def moment(text: str | None) -> datetime | None:
    """Read a time of the API."""
    return None if text is None else datetime.fromisoformat(text)


class Menu(Work):
    """The publication of a menu."""

    number = 0
    before: object = None

    @property
    def tags(self) -> list[str]:
        """Of the conditional menus: there are some if their call is what WeChat refuses."""
        return ["2", "3"] if self.api == "menu/addconditional" else []

    async def begin(self) -> None:
        await menus.published(self.service, self.jobs, menu(conditional=[for_tag("1")]))
        self.before = self.live()

    async def order(self) -> None:
        button = click("新", f"new{self.number}")
        conditional = [for_tag(tag, button) for tag in self.tags]
        self.number = (await menus.ordered(self.service, menu(button, conditional=conditional)))[
            "number"
        ]

    async def run(self) -> None:
        await menus.run_job(self.service, self.jobs, self.number)

    async def told(self, language: Language) -> tuple[str, datetime | None]:
        found = await self.read(language)
        return words_of(found["problem"]), moment(found["next_attempt_at"])

    async def is_harmless(self) -> bool:
        found = await self.read()
        return found["state"] == "failed" and found["restored"] and self.live() == self.before

    async def is_done_once(self) -> bool:
        found, self.before = await self.read(), self.live()
        conditional = menus.menus_of(self.wechat).conditional
        return (
            found["state"] == "published"
            and found["verified"]
            and found["problem"] is None
            and [each.matchrule["tag_id"] for each in reversed(conditional)] == self.tags
        )

    async def read(self, language: str = "en") -> Json:
        path = f"menus/{APPID}/versions/{self.number}"
        return await self.service.read(path, language=language)

    def live(self) -> object:
        """Return all menus of WeChat; the default one has another id each time."""
        found = menus.menus_of(self.wechat)
        return found.button, [(each.menuid, each.button) for each in found.conditional]


class QrCode(Work):
    """A QR code that is added."""

    code: Json

    async def begin(self) -> None:
        """Nothing comes before it."""

    async def order(self) -> None:
        self.code = await qrcodes.added(self.service, scene=None)

    async def run(self) -> None:
        await qrcodes.renewed(self.jobs, self.code)

    async def told(self, language: Language) -> tuple[str, datetime | None]:
        found = await self.service.read(f"qrcodes/{self.code['id']}", language=language)
        return words_of(found["problem"]), moment(found["renew_at"])

    async def is_done_once(self) -> bool:
        found = await self.service.read(f"qrcodes/{self.code['id']}")
        made = [one for one in self.wechat.state.qrcodes.made if one.scene == found["scene"]]
        return found["state"] == "live" and found["problem"] is None and len(made) == 1


class UrlLink(Work):
    """A link that opens another page than before."""

    appid = CARD_APPID
    link: Json
    count = 0

    async def begin(self) -> None:
        self.link = await links.added(self.service)
        await self.run()

    async def order(self) -> None:
        self.count += 1
        path = f"links/{self.link['id']}"
        answer = await self.service.api("PUT", path, json=links.body(query=f"n={self.count}"))
        assert answer.status_code == 200, answer.text

    async def run(self) -> None:
        await self.jobs.renew_link({"link_id": self.link["id"]})

    async def told(self, language: Language) -> tuple[str, datetime | None]:
        found = await self.service.read(f"links/{self.link['id']}", language=language)
        return words_of(found["problem"]), moment(found["renew_at"])

    async def is_done_once(self) -> bool:
        found = await self.service.read(f"links/{self.link['id']}")
        made = [
            one.link
            for one in self.wechat.state.links.made
            if one.target["query"] == f"n={self.count}&utm_source=sms"
        ]
        return found["problem"] is None and made == [found["url_link"]]


class Asked(Work):
    """A call that is made for somebody who waits for the answer, and that nobody repeats."""

    languages = ("en",)
    status, detail = 0, ""

    async def begin(self) -> None:
        """Nothing comes before it."""

    async def order(self) -> None:
        """Nothing comes before the call."""

    async def ask(self, path: str, json: Json) -> None:
        answer = await self.service.api("POST", path, json=json)
        is_read = answer.headers["content-type"] == "application/json"
        self.status, self.detail = answer.status_code, answer.text if is_read else ""

    async def told(self, language: Language) -> tuple[str, datetime | None]:
        del language
        due = self.service.clock.now() if "Try again later" in self.detail else None
        return self.detail, due

    async def is_done_once(self) -> bool:
        return self.status in {200, 201}


class TryMatch(Asked):
    """The menu that one follower sees."""

    @property
    def problems(self) -> ApiProblems:
        problems: ApiProblems = self.service.app.state.wechat_menus.tokens.problems
        return problems

    async def run(self) -> None:
        await self.ask(f"menus/{APPID}/trymatch", {"openid": OPENID})


class MadeLink(Asked):
    """A link or a code for one recipient."""

    appid = CARD_APPID
    link: Json
    made: ClassVar[Mapping[str, str]] = {
        "wxa/generatescheme": "url-scheme",
        "wxa/genwxashortlink": "short-link",
        "wxa/getwxacodeunlimit": "mini-program-code",
    }

    @property
    def problems(self) -> ApiProblems:
        problems: ApiProblems = self.service.app.state.link_maker.tokens.problems
        return problems

    async def begin(self) -> None:
        self.link = await links.added(self.service)

    async def run(self) -> None:
        await self.ask(f"links/{self.link['id']}/{self.made[self.api]}", {})


class Ticket(Work):
    """The jsapi_ticket of an account. Each run of the schedule asks for one that is lacking."""

    languages = ("en",)
    before = 0

    async def begin(self) -> None:
        """Nothing comes before it."""

    async def order(self) -> None:
        async with self.jobs.database.sessions.begin() as session:
            await session.execute(delete(JsapiTicket))
        self.before = len(self.wechat.state.tickets.get(APPID, ()))

    async def run(self) -> None:
        await self.jobs.renew_tickets()

    async def told(self, language: Language) -> tuple[str, datetime | None]:
        del language
        ready = (await self.service.look("/readyz")).text
        return ready, self.service.clock.now()

    async def is_done_once(self) -> bool:
        return len(self.wechat.state.tickets[APPID]) == self.before + 1


WORK: Mapping[Api, type[Work]] = {
    "menu/create": Menu,
    "menu/addconditional": Menu,
    "menu/trymatch": TryMatch,
    "qrcode/create": QrCode,
    "wxa/generate_urllink": UrlLink,
    "wxa/generatescheme": MadeLink,
    "wxa/genwxashortlink": MadeLink,
    "wxa/getwxacodeunlimit": MadeLink,
    "ticket/getticket": Ticket,
}


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with an account that signs pages, and a mini-program."""
    return settings_for(
        database_url,
        tmp_path,
        accounts_file=links.accounts_file(tmp_path),
        wechat_js_safe_domains="www.example.com",
    )


@pytest.fixture
async def service(
    settings: Settings, clock: WorldClock, wechat: WeChat, patience: None
) -> AsyncIterator[Service]:
    """The web application, all of whose calls reach the simulator."""
    del patience
    async with running(settings, clock) as found:
        menus.know_wechat(found, wechat)
        links.know_mini_program(found, wechat)
        yield found


async def outcome_of(work: Work, errcode: int) -> Outcome | str:
    """Let WeChat refuse work with an errcode; return what becomes of it, or what is wrong."""
    clock, before = work.service.clock, work.calls()
    work.wechat.strike(work.path, errcode=errcode)
    await work.run()
    if work.calls() != before + 1:
        return f"{work.calls() - before} calls"
    now, pause = clock.now(), work.problems.pause(AppId(work.appid), work.api)
    await work.problems.store()
    due = None
    for language in work.languages:
        words, due = await work.told(language)
        wanted = (str(errcode), explain(errcode, language).meaning)
        if any(word not in words for word in wanted) or RID.search(words) is None:
            return f"it is told {words}"
    if pause is not None and due not in {None, now, pause.until}:
        return f"the work is due at {due}, and its calls wait until {pause.until}"
    await work.run()
    if work.calls() > before + 1 and (pause is not None or not isinstance(work, Asked | Ticket)):
        return "called again at once"
    found = _outcome(errcode, due, None if pause is None else pause.until, now)
    if found is Outcome.REFUSED and not await work.is_harmless():
        return "harm is done"
    work.wechat.state.faults.clear()
    later = [due, None if pause is None else pause.until]
    clock.advance(max((at for at in later if at is not None), default=now) - now)
    if found is Outcome.REFUSED:
        await work.order()
    await work.run()
    return found if await work.is_done_once() else "it is not done, or done twice"


async def outcome_of_stale_token(work: Work, errcode: int) -> Outcome | str:
    """Let WeChat refuse the access token of one call, and hand out another one."""
    before = work.calls()
    work.wechat.state.tokens[work.appid].stable = None
    work.wechat.strike(work.path, errcode=errcode, count=1)
    await work.run()
    is_done = await work.is_done_once()
    return Outcome.RENEWED if is_done else f"not done by {work.calls() - before} calls"


def _outcome(
    errcode: int, due: datetime | None, until: datetime | None, now: datetime
) -> Outcome | str:
    if until is None:
        is_soon = due is not None and due - now <= timedelta(minutes=1)
        return Outcome.AGAIN if is_soon else Outcome.REFUSED
    if until == next_midnight(now):
        return Outcome.DAY
    if until - now != FIRST_PAUSE:
        return f"a pause until {until}"
    return Outcome.MINUTE if errcode == TOO_MANY_THIS_MINUTE else Outcome.ACCOUNT


@pytest.mark.parametrize("api", TABLE)
async def test_each_errcode_has_its_outcome_and_nothing_is_lost_or_done_twice(
    api: Api, service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    work = WORK[api](api, service, jobs, wechat)
    await work.begin()
    await work.order()
    await work.run()
    found: dict[int, Outcome | str] = {}
    for errcode in TABLE[api]:
        await work.order()
        is_stale = TABLE[api][errcode] is Outcome.RENEWED
        found[errcode] = await (outcome_of_stale_token if is_stale else outcome_of)(work, errcode)
    assert {code: one for code, one in found.items() if one != TABLE[api][code]} == {}
