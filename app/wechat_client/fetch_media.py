"""Downloads the media that rules name by `{"url": address}`.

The address is an operator's, so the SSRF guard checks it, and nothing of WeChat's (no client, no
access token) is used for it. What became of a download is in the log alone: whoever may write a
rule and read replies must not learn which hosts and ports of a network answer.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urldefrag

import httpx
import structlog

from app.connection_errors import ConnectionProblem, causes_of, problem_of
from app.http_client.client import checked_client
from app.http_client.ssrf_guard import AddressRefused, Resolver, resolve
from app.http_client.url_policy import BadUrl, Policy, parse_url
from app.wechat_client.errors import MediaNotFetched, MediaUnavailable

FETCH_SECONDS: Final = 10.0
NOT_FETCHED: Final = (
    "the medium could not be fetched from its address: "
    "the log of the worker says why (media.not_fetched)"
)

log = structlog.get_logger()


def media_policy(allow_private: bool) -> Policy:
    """Return which addresses may be called. http is allowed: followers see the medium anyway."""
    return Policy(http=True, private=allow_private, settings="MEDIA")


class _Unacceptable(Exception):
    """The host answered with something that another attempt would not change."""


def log_not_fetched(url: str, reason: str) -> None:
    """Log why a medium can't be had from its address, of which the host is named alone."""
    log.warning("media.not_fetched", host=httpx.URL(url).host, reason=reason)


@dataclass(frozen=True, slots=True)
class MediaFetcher:
    """Downloads media. policy: which addresses may be called. resolver: of host names."""

    policy: Policy
    resolver: Resolver = resolve

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        """Return what an address answers, as it came over the wire.

        Raises MediaNotFetched when another attempt may succeed, and MediaUnavailable.
        """
        try:
            parsed = parse_url(urldefrag(url).url, self.policy)
        except BadUrl as error:
            raise MediaUnavailable(f"the address of the medium {error}") from None
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._download(parsed, max_bytes)
        except (_Unacceptable, AddressRefused) as error:
            log.warning("media.not_fetched", host=parsed.host, reason=_reason(error))
            raise MediaUnavailable(NOT_FETCHED) from None
        except (httpx.HTTPError, OSError, UnicodeError, TimeoutError) as error:
            log.warning("media.not_fetched", host=parsed.host, reason=_reason(error))
            raise MediaNotFetched(NOT_FETCHED) from None

    async def _download(self, url: httpx.URL, max_bytes: int) -> bytes:
        async with (
            checked_client(self.policy, self.resolver, {}) as client,
            client.stream("GET", url) as response,
        ):
            response.raise_for_status()
            encoding = response.headers.get("content-encoding", "identity")
            if encoding.strip().lower() != "identity":
                raise _Unacceptable("the answer is encoded, although none was asked for")
            if response.status_code != HTTPStatus.OK:
                raise _Unacceptable(f"HTTP {response.status_code}")
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > max_bytes:
                    raise _Unacceptable(f"larger than {max_bytes} bytes")
        return bytes(content)


_REASONS: Final = {
    ConnectionProblem.NAME_NOT_FOUND: "the name of the host is not found",
    ConnectionProblem.TIMED_OUT: "no answer in time",
    ConnectionProblem.TLS_FAILED: "TLS failed: the certificate is not valid, or no TLS is spoken",
    ConnectionProblem.REFUSED: "no connection: the host refuses it or can't be reached",
    ConnectionProblem.UNREACHABLE: "no connection: the host refuses it or can't be reached",
}


def _reason(error: Exception) -> str:
    """Return what happened, without any part of the address."""
    if isinstance(error, _Unacceptable):
        return str(error)
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    if any(isinstance(cause, AddressRefused) for cause in causes_of(error)):
        return "the host has an address inside a network (MEDIA_ALLOW_PRIVATE)"
    problem = problem_of(error)
    return type(error).__name__ if problem is None else _REASONS[problem]
