"""Verifies and decrypts the pushes of one account, and encrypts its passive replies."""

import json
from collections.abc import Sequence

from app.settings import MessageMode
from app.value_class import value_class
from app.wechat.crypto.aes import Key, decode_base64, decode_key
from app.wechat.crypto.callback_query import CallbackQuery
from app.wechat.crypto.envelope import ciphertexts, lone_ciphertext, require_ciphertext_only
from app.wechat.crypto.signatures import msg_signature, signature, signatures_equal
from app.wechat.errors import BadEnvelope, BadSignature
from app.wechat.push_format import Format, decode, format_of
from app.wechat.xml_document import cdata


@value_class
class VerifiedPush:
    """A push whose signature is valid, decrypted.

    text: the document with the message. encrypted: whether the push was, and the reply must be.
    nonce: of the query; an encrypted reply repeats it.
    """

    text: str
    format: Format
    encrypted: bool
    nonce: str


class Cipher:
    """The Tokens and EncodingAESKeys of one account.

    tokens, aes_keys: the current one first, then those that are still accepted during a rotation.
    Raises ValueError if a key is malformed, or if the mode needs a key and there is none.
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
        # The mode comes from the settings alone, so that no request can choose a weaker one.
        self._mode = mode
        self._tokens = tuple(tokens)
        self._keys = tuple(Key(decode_key(key)) for key in aes_keys)

    @property
    def encrypted(self) -> bool:
        """Whether every push to the account is encrypted, and so proves who wrote it."""
        return self._mode is not MessageMode.PLAIN

    def verify_url(self, query: CallbackQuery) -> str:
        """Verify WeChat's check of the callback URL; return the echostr to answer, in plain text.

        Raises BadSignature, BadEnvelope (malformed: no echostr). Source: protocol 1.2.
        """
        self._verify(query.signature, query)
        if query.echostr is None:
            raise BadEnvelope("malformed")
        return query.echostr

    def check_query(self, query: CallbackQuery) -> None:
        """Refuse a push by its query alone, before its body is read.

        In plain mode the signature covers no more than the query, so it is verified here. Raises
        BadSignature (bad_signature, missing_signature), and BadEnvelope (not_encrypted) where the
        account is in secure mode and the query does not say `aes`.
        """
        if self._mode is MessageMode.PLAIN:
            self._verify(query.signature, query)
            return
        if self._mode is MessageMode.SECURE and query.encrypt_type != "aes":
            raise BadEnvelope("not_encrypted")
        if query.msg_signature is None:
            raise BadSignature("missing_signature")

    def decrypt_push(self, body: bytes, query: CallbackQuery) -> VerifiedPush:
        """Verify one push, and decrypt it unless the account is in plain mode.

        In compatible mode the plain copy counts for nothing, since no signature covers it: what
        `encrypt_type` says does not matter there. Raises what `check_query` does, and BadEnvelope
        (not_encrypted, mixed_body, and the reasons of decrypting and parsing).
        Source: protocol 1.3, 2.2, 2.3.
        """
        self.check_query(query)
        if self._mode is MessageMode.PLAIN:
            text, format = decode(body), format_of(body)
            return VerifiedPush(text, format, encrypted=False, nonce=query.nonce or "")
        return self._read_encrypted(body, query)

    def encrypt_reply(
        self,
        reply: str,
        *,
        nonce: str,
        timestamp: int,
        format: Format,
        random16: bytes | None = None,
    ) -> bytes:
        """Return the encrypted and signed response body, made with the current key and Token.

        reply: a passive reply in the same format. timestamp: now, Unix seconds. nonce: of the push.
        Source: protocol 1.4.
        """
        ciphertext = self._keys[0].encrypt(reply.encode(), self._appid, random16)
        signed = msg_signature(self._tokens[0], str(timestamp), nonce, ciphertext)
        if format is Format.JSON:
            members = {
                "Encrypt": ciphertext,
                "MsgSignature": signed,
                "TimeStamp": timestamp,
                "Nonce": nonce,
            }
            return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
        # Base64 and hex digits hold nothing that `cdata` would have to escape.
        return (
            f"<xml><Encrypt><![CDATA[{ciphertext}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{signed}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
        ).encode()

    def _read_encrypted(self, body: bytes, query: CallbackQuery) -> VerifiedPush:
        format = format_of(body)
        ciphertext = lone_ciphertext(body)
        if ciphertext is None:
            ciphertext = self._signed_ciphertext(body, format, query)
            if self._mode is MessageMode.SECURE:
                require_ciphertext_only(body, format, ciphertext)
            ciphertext = ciphertext.strip()
        elif not self._is_signed(query.msg_signature, query, ciphertext):
            raise BadSignature("bad_signature")
        message = self._decrypt(ciphertext)
        return VerifiedPush(decode(message), format, encrypted=True, nonce=query.nonce or "")

    def _signed_ciphertext(self, body: bytes, format: Format, query: CallbackQuery) -> str:
        """Return the ciphertext that the signature covers."""
        found = False
        for ciphertext in ciphertexts(body, format):
            found = True
            if self._is_signed(query.msg_signature, query, ciphertext):
                return ciphertext
        if found:
            raise BadSignature("bad_signature")
        raise BadEnvelope("not_encrypted")

    def _verify(self, given: str | None, query: CallbackQuery) -> None:
        if not self._is_signed(given, query):
            raise BadSignature("bad_signature")

    def _is_signed(
        self, given: str | None, query: CallbackQuery, encrypt_text: str | None = None
    ) -> bool:
        if given is None or query.timestamp is None or query.nonce is None:
            raise BadSignature("missing_signature")
        query.require_signable()
        for token in self._tokens:
            if encrypt_text is None:
                expected = signature(token, query.timestamp, query.nonce)
            else:
                expected = msg_signature(token, query.timestamp, query.nonce, encrypt_text)
            if signatures_equal(given, expected):
                return True
        return False

    def _decrypt(self, encrypt_text: str) -> bytes:
        ciphertext = decode_base64(encrypt_text)
        errors: list[BadEnvelope] = []
        for key in self._keys:
            try:
                return key.decrypt(ciphertext, self._appid)
            except BadEnvelope as error:
                errors.append(error)
        raise errors[0]
