"""Example bodies of `/api/alarms` for the OpenAPI document."""

from typing import Final

from fastapi.openapi.models import Example

RECEIVERS: Final[dict[str, Example]] = {
    "dingtalk": {
        "summary": "A group robot of 钉钉 with a signature",
        "value": {
            "name": "值班群",
            "kind": "dingtalk",
            "language": "zh",
            "url": "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef",
            "secret": "SEC0123456789abcdef",
        },
    },
    "wecom": {
        "summary": "A group robot of 企业微信",
        "value": {
            "name": "运维群",
            "kind": "wecom",
            "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0123-4567-89ab",
        },
    },
    "email": {
        "summary": "An e-mail",
        "value": {
            "name": "On call",
            "kind": "email",
            "language": "en",
            "mail": {
                "host": "smtp.example.com",
                "port": 465,
                "security": "tls",
                "username": "alarms@example.com",
                "sender": "alarms@example.com",
                "recipients": ["oncall@example.com"],
            },
            "password": "the password of the mailbox",
        },
    },
}
REPLACEMENTS: Final[dict[str, Example]] = {
    "off": {
        "summary": "Switched off; the address is kept",
        "value": {"name": "运维群", "kind": "wecom", "enabled": False},
    }
}
THRESHOLDS: Final[dict[str, Example]] = {
    "value": {"summary": "For all accounts", "value": {"enabled": True, "value": 90}},
}
