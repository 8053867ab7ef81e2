"""One account's side of the callback: verify, open, seal."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.settings import MessageMode
from app.wechat.crypto.aes import Key, decode_base64, decode_key
from app.wechat.crypto.callback_query import CallbackQuery
from app.wechat.crypto.envelope import read_envelope
from app.wechat.crypto.signatures import msg_signature, same, signature
from app.wechat.errors import BadEnvelope, BadSignature
from app.wechat.push_format import Format, decode, format_of
from app.wechat.xml_document import cdata


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified push.

    text: the document with the message. encrypted: whether a reply has to be sealed.
    nonce: the query's, which a sealed reply repeats.
    """

    text: str
    format: Format
    encrypted: bool
    nonce: str


class Cipher:
    """Tokens and keys of one account.

    tokens, aes_keys: the current one first, then those still accepted during a rotation. The mode
    comes from the configuration alone, so that no request can talk us into a weaker one.
    Raises ValueError if the mode needs a key and there is none, or one is malformed.
    Source: protocol 1.2 to 1.4, 2.
    """

    def __init__(
        self, appid: str, mode: MessageMode, tokens: Sequence[str], aes_keys: Sequence[str]
    ) -> None:
        if not tokens:
            raise ValueError("a callback needs a Token")
        if not aes_keys and mode is not MessageMode.PLAIN:
            raise ValueError(f"{mode} mode needs an EncodingAESKey")
        self._appid = appid
        self._mode = mode
        self._tokens = tuple(tokens)
        self._keys = tuple(Key(decode_key(key)) for key in aes_keys)

    def verify_url(self, query: CallbackQuery) -> str:
        """Return the echostr that proves the URL is ours, plain text in every mode.

        Raises BadSignature, BadEnvelope (malformed: no echostr). Source: protocol 1.2.
        """
        self._verify(query.signature, query)
        if query.echostr is None:
            raise BadEnvelope("malformed")
        return query.echostr

    def open(self, body: bytes, query: CallbackQuery) -> Opened:
        """Verify and, where it is encrypted, decrypt one push.

        Raises BadSignature (bad_signature, missing_signature) and BadEnvelope (not_encrypted,
        mixed_body, and every reason of decrypting and parsing). Source: protocol 1.3, 2.2, 2.3.
        """
        aes = query.encrypt_type == "aes"
        if self._mode is MessageMode.PLAIN or (self._mode is MessageMode.COMPATIBLE and not aes):
            return self._open_plain(body, query)
        if not aes:
            raise BadEnvelope("not_encrypted")
        return self._open_encrypted(body, query)

    def seal(
        self,
        reply: str,
        *,
        nonce: str,
        timestamp: int,
        format: Format,
        random16: bytes | None = None,
    ) -> bytes:
        """Return the encrypted and signed response body, always with the current key and Token.

        reply: a passive reply in the same format. timestamp: now, Unix seconds. nonce: the push's.
        Source: protocol 1.4.
        """
        sealed = self._keys[0].encrypt(reply.encode(), self._appid, random16)
        signed = msg_signature(self._tokens[0], str(timestamp), nonce, sealed)
        if format is Format.JSON:
            members = {
                "Encrypt": sealed,
                "MsgSignature": signed,
                "TimeStamp": timestamp,
                "Nonce": nonce,
            }
            return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
        # Base64 and hex digits need none of the care that `cdata` takes.
        return (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{signed}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
        ).encode()

    def _open_plain(self, body: bytes, query: CallbackQuery) -> Opened:
        self._verify(query.signature, query)
        return Opened(decode(body), format_of(body), encrypted=False, nonce=query.nonce or "")

    def _open_encrypted(self, body: bytes, query: CallbackQuery) -> Opened:
        format = format_of(body)
        envelope = read_envelope(body, format)
        self._verify(query.msg_signature, query, envelope.encrypt)
        if self._mode is MessageMode.SECURE:
            envelope.require_sealed()
        message = self._decrypt(envelope.encrypt)
        return Opened(decode(message), format, encrypted=True, nonce=query.nonce or "")

    def _verify(
        self, given: str | None, query: CallbackQuery, encrypt_text: str | None = None
    ) -> None:
        if given is None or query.timestamp is None or query.nonce is None:
            raise BadSignature("missing_signature")
        for token in self._tokens:
            if encrypt_text is None:
                expected = signature(token, query.timestamp, query.nonce)
            else:
                expected = msg_signature(token, query.timestamp, query.nonce, encrypt_text)
            if same(given, expected):
                return
        raise BadSignature("bad_signature")

    def _decrypt(self, encrypt_text: str) -> bytes:
        ciphertext = decode_base64(encrypt_text)
        refusals: list[BadEnvelope] = []
        for key in self._keys:
            try:
                return key.decrypt(ciphertext, self._appid)
            except BadEnvelope as refusal:
                refusals.append(refusal)
        raise refusals[0]
