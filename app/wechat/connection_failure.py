"""Says in one sentence why a call to WeChat's API has no response, and what to check. Pure."""

import ssl
from typing import Final

import aiohttp

from app.connection_errors import (
    ConnectionProblem,
    causes_of,
    is_cut_handshake,
    problem_of,
)
from app.wechat.client import ProxyError

_PROXIES: Final = "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"
_NO_TLS: Final = "no TLS is spoken there"
_CUT: Final = "the handshake is cut off"
_IF_IT_LASTS: Final = (
    "if it happens often, check this machine's network, the proxies on the way and "
    "WECHAT_API_TIMEOUT_SECONDS"
)
_SENTENCES: Final = {
    ConnectionProblem.NAME_NOT_FOUND: (
        "the name {host} is not found: check WECHAT_API_BASE_URL and this machine's DNS"
    ),
    ConnectionProblem.TLS_FAILED: (
        "TLS with {host} failed ({tls}): check this machine's time, its CA certificates and the "
        "proxies on the way"
    ),
    ConnectionProblem.TIMED_OUT: (
        "{host} accepts no connection in time: check this machine's network and firewall"
    ),
    ConnectionProblem.REFUSED: (
        "{host} refuses the connection: check WECHAT_API_BASE_URL and the firewall"
    ),
    ConnectionProblem.UNREACHABLE: (
        "{host} can't be reached: check this machine's network and firewall"
    ),
}


def describe_failure(error: BaseException, host: str, *, begun: bool) -> str:
    """Return why a call has no response. begun: whether the request may have reached the host."""
    problem = problem_of(error)
    if begun:
        if problem is ConnectionProblem.TIMED_OUT:
            return f"{host} did not answer in time: {_IF_IT_LASTS}"
        return f"the connection to {host} broke before the answer was complete: {_IF_IT_LASTS}"
    if isinstance(error, ProxyError):
        return f"the proxy on the way to {host} {error}: {_PROXIES}"
    if is_cut_handshake(error):
        return _SENTENCES[ConnectionProblem.TLS_FAILED].format(host=host, tls=_CUT)
    sentence = _SENTENCES[problem or ConnectionProblem.UNREACHABLE]
    return sentence.format(host=host, tls=_tls_reason(error))


def _tls_reason(error: BaseException) -> str:
    for cause in causes_of(error):
        if isinstance(cause, aiohttp.ClientError):
            continue  # it counts as an error of TLS, and only its cause says which
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not accepted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return cause.reason.lower().replace("_", " ") if cause.reason else _NO_TLS
    return _NO_TLS
