"""The pages of a short URL: the QR code on a desktop, and those without a way on. Pure.

They stand by themselves: no script, no other file, and words in both languages.
"""

import base64
import hashlib
from functools import lru_cache
from html import escape
from typing import Final

import segno

MAX_PICTURES: Final = 1024
_STYLE: Final = (
    "body{font:16px/1.6 system-ui,sans-serif;margin:0;color:#1f2329;background:#fff}"
    "main{max-width:26rem;margin:12vh auto;padding:0 1rem;text-align:center}"
    "h1{font-size:1.25rem;overflow-wrap:anywhere}svg{width:15rem;height:15rem}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#17191c}"
    "svg{background:#fff}a{color:#8ab4f8}}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


def desktop_page(name: str, address: str, url_link: str | None) -> str:
    """Return the page with the QR code. address: what it holds. url_link: for this browser."""
    here = ""
    if url_link is not None:
        here = f'<p><a href="{escape(url_link)}">在这台设备上打开 · Open on this device</a></p>'
    return _page(
        name,
        f"{qr_picture(address)}<p>请用微信扫码打开小程序</p>"
        f'<p lang="en">Scan the code with WeChat to open the mini-program.</p>{here}',
    )


def preview_page(name: str) -> str:
    """Return the page for robots, which see the name of the link alone."""
    return _page(name, '<p>请在手机上打开</p><p lang="en">Open this link on a phone.</p>')


def unavailable_page(name: str) -> str:
    """Return the page of a link that can't be opened at the moment."""
    return _page(
        name,
        "<p>链接暂时无法打开，请稍后再试。</p>"
        '<p lang="en">This link can\'t be opened at the moment. Try again later.</p>',
    )


def unknown_page() -> str:
    """Return the page of a slug that no link has."""
    return _page(
        "404",
        '<p>链接不存在，或已被删除。</p><p lang="en">This link does not exist, or is deleted.</p>',
    )


@lru_cache(MAX_PICTURES)
def qr_picture(address: str) -> str:
    """Return the QR code of an address as SVG that can stand in a page."""
    code = segno.make_qr(address, error="m")
    return str(code.svg_inline(scale=8, border=4, title="QR"))


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)}</title><meta property="og:title" content="{escape(title)}">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{content}</main>"
        "</body></html>"
    )
