"""The sentences about calls that WeChat did not answer, in both languages. Pure.

They are written where they arise, in English: `connection_failure.py`, `read_response.py`.
"""

from collections.abc import Mapping
from typing import Final

from app.phrases import in_language
from app.wechat.errcodes import Language

_NETWORK: Final = "请检查本机的网络和防火墙"
_OFTEN: Final = "如经常发生，请检查本机的网络、途中的代理和 WECHAT_API_TIMEOUT_SECONDS"
_ADDRESS: Final = "请检查 WECHAT_API_BASE_URL 和途中的代理"

_PROXY: Final = "请检查 HTTPS_PROXY、HTTP_PROXY、ALL_PROXY 和 NO_PROXY"

_CHECK_PROXY: Final = "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"
_CHECK: Final = "check WECHAT_API_BASE_URL and the proxies on the way"
_IF_OFTEN: Final = (
    "if it happens often, check this machine's network, the proxies on the way and "
    "WECHAT_API_TIMEOUT_SECONDS"
)

CHINESE: Final[Mapping[str, str]] = {
    "the name %(host)s is not found: check WECHAT_API_BASE_URL and this machine's DNS": (
        "找不到域名 %(host)s：请检查 WECHAT_API_BASE_URL 和本机的 DNS"
    ),
    "TLS with %(host)s failed (%(reason)s): check this machine's time, its CA certificates and "
    "the proxies on the way": (
        "与 %(host)s 的 TLS 握手失败（%(reason)s）：请检查本机的时间、CA 证书和途中的代理"
    ),
    "the certificate is not accepted: %(reason)s": "证书不被接受：%(reason)s",
    "no TLS is spoken there": "对方不使用 TLS",
    "the handshake is cut off": "握手被中断",
    "%(host)s accepts no connection in time: check this machine's network and firewall": (
        f"连接 %(host)s 超时：{_NETWORK}"
    ),
    "%(host)s refuses the connection: check WECHAT_API_BASE_URL and the firewall": (
        "%(host)s 拒绝连接：请检查 WECHAT_API_BASE_URL 和防火墙"
    ),
    "%(host)s can't be reached: check this machine's network and firewall": (
        f"无法访问 %(host)s：{_NETWORK}"
    ),
    f"the proxy on the way to %(host)s is not one of HTTP: {_CHECK_PROXY}": (
        f"通往 %(host)s 的代理不是 HTTP 代理：{_PROXY}"
    ),
    f"the proxy on the way to %(host)s answers HTTP %(status)s: {_CHECK_PROXY}": (
        f"通往 %(host)s 的代理返回 HTTP %(status)s：{_PROXY}"
    ),
    f"%(host)s did not answer in time: {_IF_OFTEN}": f"%(host)s 没有及时应答：{_OFTEN}",
    f"the connection to %(host)s broke before the answer was complete: {_IF_OFTEN}": (
        f"与 %(host)s 的连接在应答完整之前断开：{_OFTEN}"
    ),
    f"HTTP %(status)s came instead of an answer: if this does not end in some minutes, {_CHECK}": (
        f"收到 HTTP %(status)s 而不是应答：如几分钟后仍是这样，{_ADDRESS}"
    ),
    f"HTTP %(status)s redirects to another address of the same host, and redirects are not "
    f"followed: {_CHECK}": (
        f"HTTP %(status)s 重定向到同一主机的另一地址，而重定向不会被跟随：{_ADDRESS}"
    ),
    f"HTTP %(status)s redirects to no address, and redirects are not followed: {_CHECK}": (
        f"HTTP %(status)s 重定向但没有给出地址，而重定向不会被跟随：{_ADDRESS}"
    ),
    f"HTTP %(status)s redirects to %(address)s, and redirects are not followed: {_CHECK}": (
        f"HTTP %(status)s 重定向到 %(address)s，而重定向不会被跟随：{_ADDRESS}"
    ),
    f"unreadable answer, HTTP %(status)s, which is not one of WeChat's API: {_CHECK}": (
        f"应答无法识别（HTTP %(status)s），不像来自微信接口：{_ADDRESS}"
    ),
    "WeChat hands out the refused token again": "微信再次给出了被它拒绝的 access_token",
    "no AppSecret is configured for %(appid)s": "没有配置 %(appid)s 的 AppSecret",
    "%(api)s is called %(calls)s times in %(seconds)s s at most: this call is put off": (
        "%(api)s 每 %(seconds)s 秒最多调用 %(calls)s 次：此次调用推迟进行"
    ),
}
_PHRASES: Final = tuple(CHINESE)


def failure_in(language: Language, sentence: str) -> str:
    """Return what a failed call says in a language; a sentence that is not known stays as it is."""
    if language == "en":
        return sentence
    return in_language(sentence, _PHRASES, CHINESE.__getitem__)
