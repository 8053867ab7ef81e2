"""The Prometheus metrics that packages count in a process.

`ops.metrics_endpoint` renders them, and reads the metrics of the database at each scrape. With
several web processes PROMETHEUS_MULTIPROC_DIR must be set before this module is imported, because
the library chooses memory or file when a metric is made.
"""

from functools import lru_cache
from typing import Final

from prometheus_client import Counter, Gauge, Histogram


@lru_cache(maxsize=64)
def rule_matches(kind: str) -> Counter:
    """Return the counter of callbacks that a rule of this kind answered."""
    return RULE_MATCHES.labels(kind)


CALLBACKS: Final = Counter(
    "oa_bridge_callbacks",
    "Verified callbacks by account, type and result (stored, duplicate, spooled)",
    ["appid", "type", "result"],
)
REFUSALS: Final = Counter("oa_bridge_refusals", "Callback requests refused, by reason", ["reason"])
CONNECTIONS_TURNED_AWAY: Final = Counter(
    "oa_bridge_connections_turned_away",
    "Connections that were closed before a whole request was read, by reason",
    ["reason"],
)
API_REFUSALS: Final = Counter(
    "oa_bridge_api_refusals",
    "Requests without a valid bearer token (no_token, wrong_token)",
    ["reason"],
)
COMMIT_BATCH_SIZE: Final = Histogram(
    "oa_bridge_commit_batch_size",
    "Callbacks that shared one commit",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
COMMIT_SECONDS: Final = Histogram(
    "oa_bridge_commit_seconds",
    "Duration of one group commit, in seconds",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4),
)
INBOX_WAITING: Final = Gauge(
    "oa_bridge_inbox_waiting",
    "Callbacks that wait for the next commit",
    multiprocess_mode="livesum",
)
# All processes of a machine share one spool, so the newest count is right.
SPOOL_CALLBACKS: Final = Gauge(
    "oa_bridge_spool_callbacks",
    "Callbacks on disk that are not in the database yet",
    multiprocess_mode="livemostrecent",
)
SPOOL_DEAD_LETTERS: Final = Gauge(
    "oa_bridge_spool_refused",
    "Callbacks on disk that the database can't hold",
    multiprocess_mode="livemostrecent",
)
RULE_MATCHES: Final = Counter(
    "oa_bridge_rule_matches", "Callbacks that a rule answered, by kind of match", ["kind"]
)
PATTERN_SEARCHES_SKIPPED: Final = Counter(
    "oa_bridge_pattern_searches_skipped",
    "Searches of patterns that were left out, as those of one message took too long",
)
RULES_RELOADS: Final = Counter(
    "oa_bridge_rules_reloads", "Reloads of the rules by result (ok, failed)", ["result"]
)
# The newest here, too: a process that only imports this module, as a worker, reports 0.
RULES_LOADED: Final = Gauge(
    "oa_bridge_rules_loaded", "Enabled rules in memory", multiprocess_mode="livemostrecent"
)
RULES_LEFT_OUT: Final = Gauge(
    "oa_bridge_rules_left_out",
    "Enabled rules that can't be used, because they were changed outside the API or do not compile",
    multiprocess_mode="livemostrecent",
)
RULES_REJECTED: Final = Gauge(
    "oa_bridge_rules_rejected",
    "1 while the newest rules can't be loaded and older ones are used",
    multiprocess_mode="livemostrecent",
)
RULES_COPIED_AT: Final = Gauge(
    "oa_bridge_rules_copied_at_seconds",
    "Unix time of the copy on disk whose rules are used; 0 while they are the database's",
    multiprocess_mode="livemostrecent",
)
SENDS: Final = Counter(
    "oa_bridge_sends",
    "Customer-service messages by message type and outcome",
    ["msgtype", "outcome"],
)
EXPIRED_LATENESS: Final = Histogram(
    "oa_bridge_expired_reply_lateness_seconds",
    "How late an expired reply was: push_late: from CreateTime (WeChat's clock) to the arrival of "
    "its push (the database's); not_tried, not_accepted: from the end of its send window (the "
    "database's clock) until a worker found it",
    ["reason"],
    buckets=(1, 10, 60, 300, 3600, 21600, 86400, 172800),
)
NOTICES: Final = Counter(
    "oa_bridge_notices",
    "Subscription notices and template messages by kind and outcome",
    ["kind", "outcome"],
)
CODES: Final = Counter(
    "oa_bridge_codes",
    "Requests for a person's code of a campaign, by result (given; none_left: the pool is empty)",
    ["result"],
)
CUT_OFF_SENDS: Final = Counter(
    "oa_bridge_cut_off_sends",
    "Messages whose worker died while it was sending: resent (may arrive twice) or held",
    ["action"],
)
API_ERRORS: Final = Counter(
    "oa_bridge_api_errors",
    "Failed calls to WeChat's API by errcode (`transport` if there was none)",
    ["errcode"],
)
API_CALLS: Final = Counter(
    "oa_bridge_api_calls",
    "Calls of WeChat's API by account and API, whatever came of them",
    ["appid", "api"],
)
API_CALLS_PUT_OFF: Final = Counter(
    "oa_bridge_api_calls_put_off",
    "Calls of WeChat's API that have to wait since the rate of their API is reached",
    ["appid", "api"],
)
UNIONID_CONFLICTS: Final = Counter(
    "oa_bridge_unionid_conflicts",
    "UnionIDs that differ from the stored one and need WeChat's confirmation, by who named them "
    "(user_info: WeChat's batch call; report)",
    ["source"],
)
WEBHOOK_ATTEMPTS: Final = Counter(
    "oa_bridge_webhook_attempts",
    "Attempts to deliver to webhooks by outcome (delivered; waiting: will be retried; failed)",
    ["outcome"],
)
ALARMS: Final = Counter("oa_bridge_alarms", "Alarms that began, by kind", ["kind"])
ALARM_MESSAGES: Final = Counter(
    "oa_bridge_alarm_messages",
    "Messages about alarms by kind of receiver and outcome (sent, failed: will be retried)",
    ["kind", "outcome"],
)
CLOCK_DIFFERENCE: Final = Gauge(
    "oa_bridge_clock_difference_seconds",
    "How far this machine's clock is ahead of another one (database, wechat)",
    ["other"],
    multiprocess_mode="livemostrecent",
)
