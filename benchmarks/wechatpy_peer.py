"""(e) wechatpy in FastAPI: it verifies, decrypts, parses, and answers all with one sealed text."""

from fastapi import FastAPI, Request
from fastapi.responses import Response
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto

from benchmarks.keywords import FALLBACK_REPLY
from benchmarks.peer import APPID, ENCODING_AES_KEY, TOKEN


def build() -> FastAPI:
    """Return the application; uvicorn calls this as its factory."""
    app = FastAPI()
    crypto = WeChatCrypto(TOKEN, ENCODING_AES_KEY, APPID)

    @app.post("/callback/{appid}")
    async def callback(request: Request, appid: str) -> Response:  # noqa: ARG001  # one account
        query = request.query_params
        timestamp, nonce = query["timestamp"], query["nonce"]
        text = crypto.decrypt_message(
            await request.body(), query["msg_signature"], timestamp, nonce
        )
        reply = create_reply(FALLBACK_REPLY, parse_message(text)).render()
        sealed = crypto.encrypt_message(reply, nonce, timestamp)
        return Response(sealed, media_type="application/xml")

    return app
