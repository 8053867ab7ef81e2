"""Bodies of requests and responses of `/api/tags`."""

from datetime import datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from app.api_model import ApiModel
from app.identity.schemas import WeChatId
from app.rules.definition.fields import Moment, Strict, Trimmed
from app.settings import APPID_PATTERN
from app.tags.models import TagAction, TagRun, TagRunState
from app.wechat.errcodes import Language, explain
from app.wechat.outbound.base import seen

MAX_NAME: Final = 30
MAX_PEOPLE: Final = 5000
MAX_TAG_ID: Final = 2**31 - 1

TagId = Annotated[int, Path(ge=0, le=MAX_TAG_ID, description="WeChat's id of the tag")]
RunId = Annotated[UUID, Path(description="Id of the run")]
TagNumber = Annotated[int, Field(ge=0, le=MAX_TAG_ID, strict=True)]
OptionalAppId = Annotated[str, Field(pattern=APPID_PATTERN)] | None


class TagName(ApiModel):
    """The name of a tag."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Trimmed, Field(max_length=MAX_NAME), AfterValidator(seen)]
    """Up to 30 characters. WeChat may count bytes: then it refuses more than 10 Chinese characters
    with 45158."""


class TagIn(TagName):
    """A new tag."""

    appid: OptionalAppId = None
    """AppID of the Official Account; left out, that of WECHAT_APPID."""


class TagFilter(Strict):
    """Which followers. What is left out narrows nothing."""

    scene: WeChatId | None = None
    """The QR scene of their latest follow."""
    how: WeChatId | None = None
    """How they came, as WeChat's `subscribe_scene` names it, such as `ADD_SCENE_QR_CODE`."""
    seen_since: Moment | None = None
    """They were seen at the account at this time or later."""
    seen_before: Moment | None = None
    """They were last seen at the account before this time."""
    tag_id: TagNumber | None = None
    """They have this tag, as far as is known."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.seen_since and self.seen_before and self.seen_since >= self.seen_before:
            raise ValueError("seen_since is not before seen_before: correct one of them")
        return self


class TagPeopleIn(Strict):
    """Who gets a tag or loses it: OpenIDs, UnionIDs, or the followers that match a filter."""

    action: TagAction
    """`tag` or `untag`."""
    openids: Annotated[list[WeChatId], Field(min_length=1, max_length=MAX_PEOPLE)] | None = None
    """The people at the account."""
    unionids: Annotated[list[WeChatId], Field(min_length=1, max_length=MAX_PEOPLE)] | None = None
    """The people at all accounts."""
    filter: TagFilter | None = None
    """All followers that match; `{}` means all followers."""
    key: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")] | None = None
    """Of your choice: a request that is repeated with the same key starts nothing further."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.action is TagAction.PULL:
            raise ValueError("action is tag or untag; POST /api/tags/pull reads the tags")
        if sum(one is not None for one in (self.openids, self.unionids, self.filter)) != 1:
            raise ValueError("give one of openids, unionids and filter")
        return self


class PullIn(ApiModel):
    """Whose tags are read."""

    model_config = ConfigDict(extra="forbid")

    appid: Annotated[str, Field(pattern=APPID_PATTERN)]
    """AppID of the Official Account."""


class TagCountIn(ApiModel):
    """Whom to count."""

    model_config = ConfigDict(extra="forbid")

    appid: OptionalAppId = None
    """AppID of the Official Account; left out, that of WECHAT_APPID."""
    filter: TagFilter
    """As a run takes it."""


class TagCount(ApiModel):
    """How many followers match a filter now."""

    people: int
    """As far as is known."""


class TagOut(ApiModel):
    """A tag of an account."""

    appid: str
    """AppID of the Official Account."""
    tag_id: int
    """WeChat's id, as the condition of a menu names it. 0, 1 and 2 are WeChat's own tags."""
    name: str
    """Its name."""
    people: int
    """How many followers have it, as WeChat said at `listed_at`."""
    known: int
    """How many of them are known here; the first 100,000 are counted."""
    listed_at: datetime
    """When WeChat listed it."""


class TagsOut(ApiModel):
    """The tags of an account."""

    items: list[TagOut]
    """As they were read last, by id."""


class TagProblem(ApiModel):
    """What WeChat said to the last call that failed."""

    errcode: int | None
    """WeChat's errcode."""
    errmsg: str
    """What WeChat said."""
    rid: str | None
    """The id of the call in WeChat's own log."""
    meaning: str | None
    """What the errcode means."""
    fix: str | None
    """What to do about it."""
    at: datetime
    """When it was."""


class TagRunOut(ApiModel):
    """Calls of WeChat that belong together, and how far they are."""

    id: UUID
    """The id of the run."""
    appid: str
    """AppID of the Official Account."""
    action: TagAction
    """`pull` reads all tags and who has each."""
    tag_id: int | None
    """The tag; null for a pull."""
    filter: dict[str, Any] | None
    """Which followers; null where each person was named, and for a pull."""
    state: TagRunState
    """`failed`: WeChat refuses it for everybody, see `problem`."""
    total: int | None
    """How many people were named; for a pull, how many tags there are. Null for a filter."""
    done: int
    """How many people WeChat has tagged or untagged; for a pull, how many tags are read."""
    refused: int
    """How many people WeChat refused."""
    problem: TagProblem | None
    """What WeChat said to the last call that failed; null after a success."""
    next_at: datetime | None
    """When WeChat is asked next; null once the run is over."""
    created_at: datetime
    """When it was asked for. Runs of an account are carried out one after the other."""
    created_by: str
    """Who asked for it."""
    ended_at: datetime | None
    """When it was over."""

    @classmethod
    def of(cls, run: TagRun, language: Language) -> Self:
        """Return the JSON of a row."""
        names = cls.model_fields.keys() - {"problem", "next_at"}
        return cls(
            **{name: getattr(run, name) for name in names},
            problem=problem_of(run, language),
            next_at=run.try_at,
        )


class TagRunStarted(TagRunOut):
    """A run that was started."""

    unknown: list[str] = Field(default_factory=list)
    """Which of the ids name nobody who is known at the account; they are left out."""


class TagRunPage(ApiModel):
    """Runs, the newest first."""

    items: list[TagRunOut]
    """The runs."""
    next: UUID | None
    """`before` of the next page; null after the last one."""


class RefusedPerson(ApiModel):
    """A person whom WeChat refused."""

    openid: str
    """The person at the account."""
    errcode: int
    """WeChat's errcode."""
    meaning: str
    """What it means."""
    fix: str
    """What to do about it."""


class RefusedPeople(ApiModel):
    """People of a run whom WeChat refused, in the order of OpenIDs."""

    items: list[RefusedPerson]
    """The people."""
    next: str | None
    """`after` of the next page; null after the last one."""


def problem_of(run: TagRun, language: Language) -> TagProblem | None:
    """Return why the last call of a run failed."""
    if run.failed_at is None or run.error is None:
        return None
    known = None if run.errcode is None else explain(run.errcode, language, run.rid)
    return TagProblem(
        errcode=run.errcode,
        errmsg=run.error,
        rid=run.rid,
        meaning=None if known is None else known.meaning,
        fix=None if known is None else known.fix,
        at=run.failed_at,
    )
