"""What SECRET_KEY encrypts is read with its key, for its purpose, and by nobody else."""

from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr

from app.secret_box import ENCRYPTED_PREFIX, DecryptionFailed, SecretBox

KEY = SecretStr("a key of sixteen characters or more")
OTHER_KEY = SecretStr("another key of sixteen characters")
PURPOSE = b"access_token:wx0000000000000001"

EARLIER_KEY = SecretStr("the key of an earlier release")
EARLIER_WEBHOOK = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
EARLIER_TEXT = "sealed:aYFYETr1StJ2Tz0/JzfwiwJpneIxTgaNBs3oa25YxBWePiod5uLaCamkaKQUYw=="


@given(st.text(max_size=60), st.binary(max_size=40), st.binary(max_size=40))
def test_what_is_encrypted_is_read_for_its_purpose_alone(
    secret: str, purpose: bytes, other: bytes
) -> None:
    box = SecretBox(KEY)
    stored = box.encrypt(secret, purpose)

    assert box.decrypt(stored, purpose) == secret
    assert box.is_current(stored, purpose)
    assert stored != box.encrypt(secret, purpose)
    assume(other != purpose)
    for reader, what_for in (
        (SecretBox(OTHER_KEY), purpose),
        (SecretBox(None), purpose),
        (box, other),
    ):
        with pytest.raises(DecryptionFailed):
            reader.decrypt(stored, what_for)


def test_a_former_key_still_reads_and_no_longer_writes() -> None:
    before = SecretBox(KEY).encrypt("secret", PURPOSE)
    box = SecretBox(OTHER_KEY, [KEY])
    after = box.encrypt("secret", PURPOSE)

    assert box.decrypt(before, PURPOSE) == box.decrypt(after, PURPOSE) == "secret"
    assert (box.is_current(before, PURPOSE), box.is_current(after, PURPOSE)) == (False, True)
    with pytest.raises(DecryptionFailed):
        SecretBox(KEY).decrypt(after, PURPOSE)


def test_plain_text_is_read_with_and_without_a_key() -> None:
    for box, current in ((SecretBox(None), True), (SecretBox(KEY), False)):
        assert box.decrypt("plain", PURPOSE) == "plain"
        assert box.is_current("plain", PURPOSE) is current


def test_what_an_earlier_release_encrypted_is_read() -> None:
    for box in (SecretBox(EARLIER_KEY), SecretBox(KEY, [EARLIER_KEY])):
        assert box.decrypt(EARLIER_TEXT, EARLIER_WEBHOOK.bytes) == "whsec_ZWFybGllcg=="


@given(st.text(max_size=80))
def test_text_that_only_looks_encrypted_is_refused(rest: str) -> None:
    with pytest.raises(DecryptionFailed):
        SecretBox(KEY).decrypt(ENCRYPTED_PREFIX + rest, PURPOSE)
