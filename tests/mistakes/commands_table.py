"""Commands without what they need, with their exit status and what is said."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from tests.service import APPID

FAILED, BAD_USE, TRY_LATER = 1, 2, 75
MINI_PROGRAM = "wx0000000000000001"


class Mistake(NamedTuple):
    """arguments: of oa-bridge; FILE is a file with `content`. settings: beside good ones.

    problems: how many lines there are, one for each.
    """

    arguments: str
    status: int
    said: str
    settings: Mapping[str, str] = MappingProxyType({})
    content: str = ""
    name: str = "rules.yaml"
    problems: int = 1


AWAY = {"DATABASE_URL": "postgresql://oa@127.0.0.1:1/oa"}
NO_HOST = {"DATABASE_URL": "postgresql://oa@host.invalid/oa"}
NOTHING_LISTENS = "nothing listens at the host and port of DATABASE_URL"
NO_FOLDER = {"DATABASE_URL": "", "DATA_DIR": "/dev/null/x"}
NO_SECRET = {"WECHAT_APPSECRET": ""}
RULE = """
rules:
- name: Shop
  trigger: {on: fallback}
  replies: [{msgtype: text, via: passive, content: a}]
"""

# No database is reached by these.
COMMAND_MISTAKES = [
    *(
        Mistake(arguments, status, NOTHING_LISTENS, AWAY, content=RULE)
        for arguments, status in [
            ("migrate", FAILED),
            ("rules export", FAILED),
            ("rules explain a", FAILED),
            ("rules import FILE", FAILED),
            ("users erase oUNION --yes", FAILED),
            ("articles markup summer26", FAILED),
            ("articles draft summer26 FILE --title a --thumb-media-id b", FAILED),
            ("followers sync", TRY_LATER),
            ("quota clear", FAILED),
            ("menus pull", FAILED),
            ("menus diff", FAILED),
            ("menus publish --yes", FAILED),
            ("menus versions", FAILED),
            ("menus restore 1", FAILED),
        ]
    ),
    Mistake("migrate", FAILED, "the host in DATABASE_URL is not found", NO_HOST),
    Mistake("rules export", FAILED, "the host in DATABASE_URL is not found", NO_HOST),
    Mistake(
        "migrate",
        FAILED,
        "DATABASE_URL can't be used: write it as postgresql://",
        {"DATABASE_URL": "postgresql://oa@127.0.0.1/oa?sslmode=often"},
    ),
    Mistake("rules import", BAD_USE, "give a FILE, or use --from-wechat"),
    Mistake("rules import FILE --from-wechat", BAD_USE, "give a FILE, or use --from-wechat"),
    Mistake(
        "rules import /nowhere/rules.yaml", FAILED, "/nowhere/rules.yaml can't be read: No such"
    ),
    Mistake("rules import /dev", FAILED, "/dev can't be read: Is a directory"),
    Mistake(
        "rules import FILE",
        FAILED,
        "did not find expected node content in line 2, column 1",
        content="rules: [\n",
    ),
    Mistake("rules import FILE", FAILED, "rules.yaml: ", content="- a"),
    Mistake("rules import FILE", FAILED, "rules.yaml: ", content=""),
    Mistake("rules import FILE", FAILED, "rules", content="rule: []", problems=2),
    Mistake("rules import FILE", FAILED, "rules", content="rules: 1"),
    Mistake(
        "rules import FILE",
        FAILED,
        "rules.0.name: is missing: add it",
        content="rules: [{}]",
        problems=3,
    ),
    Mistake(
        "rules import FILE",
        FAILED,
        "r.json: is not valid JSON",
        content='{"rules": [',
        name="r.json",
    ),
    Mistake("rules import FILE", FAILED, "rules.0", content=RULE.replace("fallback", "nothing")),
    Mistake("rules explain", BAD_USE, "give a TEXT, or use --event"),
    Mistake("rules explain a --event CLICK", BAD_USE, "give a TEXT, or use --event"),
    Mistake("rules explain a --event-key k", BAD_USE, "give a TEXT, or use --event"),
    Mistake("rules explain a --appid wx1", BAD_USE, f"--appid: choose one of {APPID}"),
    Mistake("rules explain a --at noon", FAILED, "at: "),
    Mistake("rules explain a --openid ''", FAILED, "openid: "),
    Mistake("rules import --from-wechat --appid wx1", BAD_USE, f"choose one of {APPID}"),
    Mistake("alarms list", FAILED, NOTHING_LISTENS, AWAY),
    Mistake("alarms add FILE", FAILED, "name: is missing: add it", content="{}"),
    Mistake("alarms add FILE", FAILED, ": is not valid JSON: EOF", content="{"),
    Mistake("alarms add FILE", FAILED, ": must be an object", content="[]"),
    Mistake("qrcodes list", FAILED, NOTHING_LISTENS, AWAY),
    Mistake("tags list", FAILED, NOTHING_LISTENS, AWAY),
    Mistake("links list", FAILED, NOTHING_LISTENS, AWAY),
    Mistake("links make Shop --appid wx1", FAILED, "appid: is not an AppID"),
    Mistake(f"links make Shop --appid {MINI_PROGRAM} --slug a", FAILED, "slug: must have 4 to 32"),
    Mistake("notices sends", FAILED, NOTHING_LISTENS, AWAY),
    Mistake("tags create ''", FAILED, "name: must have at least 1 character: write"),
    Mistake("campaigns list", FAILED, NOTHING_LISTENS, AWAY),
    Mistake(f"campaigns show {UUID(int=7)}", FAILED, NOTHING_LISTENS, AWAY),
    Mistake("tags create ' '", FAILED, "name: "),
    Mistake("tags tag 1 --all --key 'a b'", FAILED, "key: may hold letters"),
    Mistake("tags tag 1 --seen-since noon", FAILED, "filter.seen_since: must be a date and time"),
    Mistake("qrcodes import FILE --key 'a b'", FAILED, "--key: has 1 to 64", content="Store 1"),
    Mistake("qrcodes import FILE", FAILED, NOTHING_LISTENS, AWAY, content="Store 1"),
    Mistake(
        "articles draft summer26 /nowhere --title a --thumb-media-id b",
        FAILED,
        "/nowhere can't be read: No such",
    ),
    Mistake("users erase", BAD_USE, "pass a UnionID, or both --appid and --openid"),
    Mistake("users erase u --openid o", BAD_USE, "pass a UnionID, or both --appid and --openid"),
    Mistake("users erase --openid o", BAD_USE, "pass a UnionID, or both --appid and --openid"),
    Mistake(f"users erase --appid {APPID}", BAD_USE, "pass a UnionID, or both"),
    Mistake("followers sync", BAD_USE, "no Official Account has an AppSecret", NO_SECRET),
    Mistake(f"followers sync --appid {APPID}", BAD_USE, "has no AppSecret; set it", NO_SECRET),
    Mistake("followers sync --appid wx1", BAD_USE, f"is not configured; configured: {APPID}"),
    Mistake("quota clear", BAD_USE, "no account has an AppSecret", NO_SECRET),
    Mistake(f"quota clear --appid {APPID}", BAD_USE, "has no AppSecret; set it", NO_SECRET),
    Mistake("quota clear --appid wx1", BAD_USE, f"is not configured; configured: {APPID}"),
    Mistake("migrate", BAD_USE, "DATA_DIR: /dev/null/x can't be used", NO_FOLDER),
    Mistake("serve", BAD_USE, "DATA_DIR: /dev/null/x can't be used", NO_FOLDER),
    Mistake("rules export", BAD_USE, "DATA_DIR: /dev/null/x can't be used", NO_FOLDER),
    Mistake(
        "serve",
        BAD_USE,
        "HOST: 192.0.2.1 is no address of this machine",
        AWAY | {"HOST": "192.0.2.1"},
    ),
    Mistake("serve", BAD_USE, "HOST: host.invalid is not found", AWAY | {"HOST": "host.invalid"}),
    Mistake(
        "worker",
        BAD_USE,
        "HOST: 192.0.2.1 is no address of this machine",
        AWAY | {"HOST": "192.0.2.1", "WORKER_METRICS_PORT": "23456"},
    ),
    *(
        Mistake(command, BAD_USE, "WECHAT_APPID: ", {"WECHAT_APPID": "gh_0123456789ab"})
        for command in ("serve", "worker", "migrate", "rules export", "followers sync")
    ),
    *(
        Mistake(command, BAD_USE, "MEDIA_DIR: /none does not exist", {"MEDIA_DIR": "/none"})
        for command in ("serve", "worker", "rules export")
    ),
    *(  # they need no picture
        Mistake(command, status, NOTHING_LISTENS, AWAY | {"MEDIA_DIR": "/none"})
        for command, status in (("migrate", FAILED), ("followers sync", TRY_LATER))
    ),
    Mistake("users erase u --yes", BAD_USE, "PORT: must be a whole number", {"PORT": "x"}),
]

# The server refuses, or the database is not migrated: SQLSTATE, arguments, status, what is said.
PASSWORD = "the database refuses the user and password of DATABASE_URL: correct them"
NO_DATABASE = "the database that DATABASE_URL names does not exist: correct its name"
REFUSED_COMMANDS = [
    (code, arguments, status, said)
    for code, said in [("28P01", PASSWORD), ("3D000", NO_DATABASE)]
    for arguments, status in [
        ("migrate", FAILED),
        ("rules export", FAILED),
        ("rules explain a", FAILED),
        ("users erase oUNION --yes", FAILED),
        ("articles markup summer26", FAILED),
        ("followers sync", TRY_LATER),
    ]
]
UNMIGRATED_COMMANDS = [
    ("rules export", FAILED),
    ("rules explain a", FAILED),
    ("users erase oUNION --yes", BAD_USE),
    ("articles markup summer26", FAILED),
    ("followers sync", BAD_USE),
    ("quota clear --yes", BAD_USE),
]
