"""Events: results of template messages, mass sends and publications. Protocol 4.3."""

from typing import Annotated, ClassVar, Literal

from app.value_class import value_class
from app.wechat.inbound.base import BaseEvent
from app.wechat.inbound.decode_elements import Element, several, texts


@value_class(kw_only=True, repr=False)
class TemplateSendJobFinish(BaseEvent):
    """A template message was sent, or not. status: `success`, or begins with `failed`."""

    event: ClassVar[Literal["TEMPLATESENDJOBFINISH"]] = "TEMPLATESENDJOBFINISH"
    msg_id: Annotated[str | None, Element("MsgID")] = None
    status: Annotated[str | None, Element("Status")] = None


@value_class(kw_only=True)
class CopyrightCheck:
    """The result of the copyright check of one article."""

    article_idx: Annotated[str | None, Element("ArticleIdx")] = None
    user_declare_state: Annotated[str | None, Element("UserDeclareState")] = None
    audit_state: Annotated[str | None, Element("AuditState")] = None
    original_article_url: Annotated[str | None, Element("OriginalArticleUrl")] = None
    original_article_type: Annotated[str | None, Element("OriginalArticleType")] = None
    can_reprint: Annotated[str | None, Element("CanReprint")] = None
    need_replace_content: Annotated[str | None, Element("NeedReplaceContent")] = None
    need_show_reprint_source: Annotated[str | None, Element("NeedShowReprintSource")] = None


@value_class(kw_only=True)
class SentArticle:
    """One article of a mass send, and its URL."""

    article_idx: Annotated[str | None, Element("ArticleIdx")] = None
    article_url: Annotated[str | None, Element("ArticleUrl")] = None


@value_class(kw_only=True, repr=False)
class MassSendJobFinish(BaseEvent):
    """A mass send ended. The counts are of people.

    status: `send success`, `sendsuccess`, `send fail` or `err(…)`.
    """

    event: ClassVar[Literal["MASSSENDJOBFINISH"]] = "MASSSENDJOBFINISH"
    msg_id: Annotated[str | None, Element("MsgID")] = None
    status: Annotated[str | None, Element("Status")] = None
    total_count: Annotated[str | None, Element("TotalCount")] = None
    filter_count: Annotated[str | None, Element("FilterCount")] = None
    sent_count: Annotated[str | None, Element("SentCount")] = None
    error_count: Annotated[str | None, Element("ErrorCount")] = None
    check_state: Annotated[str | None, Element("CopyrightCheckResult.CheckState")] = None
    copyright_checks: Annotated[
        tuple[CopyrightCheck, ...],
        Element(
            "CopyrightCheckResult.ResultList.item",
            "CopyrightCheckResult.ResultList",
            read=several(CopyrightCheck),
        ),
    ] = ()
    articles: Annotated[
        tuple[SentArticle, ...],
        Element(
            "ArticleUrlResult.ResultList.item",
            "ArticleUrlResult.ResultList",
            read=several(SentArticle),
        ),
    ] = ()


@value_class(kw_only=True)
class PublishedArticle:
    """One article of a publication."""

    idx: Annotated[str | None, Element("idx")] = None
    article_url: Annotated[str | None, Element("article_url")] = None


@value_class(kw_only=True, repr=False)
class PublishJobFinish(BaseEvent):
    """A publication ended; also pushed as FREEPUBLISHJOBFINISH.

    fail_idx: positions of the articles that failed.
    """

    event: ClassVar[Literal["PUBLISHJOBFINISH"]] = "PUBLISHJOBFINISH"
    publish_id: Annotated[str | None, Element("PublishEventInfo.publish_id")] = None
    publish_status: Annotated[str | None, Element("PublishEventInfo.publish_status")] = None
    article_id: Annotated[str | None, Element("PublishEventInfo.article_id")] = None
    articles: Annotated[
        tuple[PublishedArticle, ...],
        Element("PublishEventInfo.article_detail.item", read=several(PublishedArticle)),
    ] = ()
    fail_idx: Annotated[tuple[str, ...], Element("PublishEventInfo.fail_idx", read=texts)] = ()
