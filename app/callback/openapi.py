"""The callback in OpenAPI. It is plain ASGI for speed, so FastAPI can't describe it."""

from typing import Any, Final

_TEXT: Final = {"text/plain": {"schema": {"type": "string"}}}
_REFUSALS: Final = {
    "400": "Undecryptable or malformed",
    "403": "Bad signature, or outside the replay window",
    "404": "Unknown AppID",
}
_POST_REFUSALS: Final = {
    **_REFUSALS,
    "413": "Larger than MAX_BODY_BYTES",
    "503": "Not stored within 4.0 s; WeChat tries again",
}


def _responses(success: dict[str, Any], refusals: dict[str, str]) -> dict[str, Any]:
    refused = {status: {"description": text, "content": _TEXT} for status, text in refusals.items()}
    return {"200": success, **refused}


_PARAMETERS: Final = {
    "appid": "The account",
    "signature": "SHA-1 of Token, timestamp and nonce",
    "timestamp": "Unix seconds",
    "nonce": "A random text",
    "echostr": "What the response repeats",
    "openid": "The sender; it is not used",
    "encrypt_type": "`aes` if the body is encrypted",
    "msg_signature": "SHA-1 of Token, timestamp, nonce and the ciphertext",
}


def _parameter(name: str, place: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": _PARAMETERS[name],
        "schema": {"type": "string"},
    }


_APPID: Final = _parameter("appid", "path", required=True)
_SIGNED: Final = [
    _parameter(name, "query", required=True) for name in ("signature", "timestamp", "nonce")
]

PATHS: Final[dict[str, Any]] = {
    "/callback/{appid}": {
        "get": {
            "tags": ["callback"],
            "operationId": "verify_url",
            "summary": "URL verification by WeChat's console",
            "parameters": [_APPID, *_SIGNED, _parameter("echostr", "query", required=True)],
            "responses": _responses(
                {"description": "The echostr, unquoted", "content": _TEXT}, _REFUSALS
            ),
        },
        "post": {
            "tags": ["callback"],
            "operationId": "receive",
            "summary": "One push of WeChat's",
            "parameters": [
                _APPID,
                *_SIGNED,
                *(_parameter(n, "query") for n in ("openid", "encrypt_type", "msg_signature")),
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "text/xml": {"schema": {"type": "string"}},
                    "application/json": {"schema": {"type": "object"}},
                },
            },
            "responses": _responses(
                {
                    "description": "`success`, or a passive reply in the push's format",
                    "content": {
                        **_TEXT,
                        "application/xml": {"schema": {"type": "string"}},
                        "application/json": {"schema": {"type": "object"}},
                    },
                },
                _POST_REFUSALS,
            ),
        },
    }
}
