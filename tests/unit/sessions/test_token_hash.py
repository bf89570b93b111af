"""What is kept of a token."""

import hashlib

import pytest

from wiretape.sessions import token_hash

TOKEN = "wt_not-a-real-one"


def test_a_digest_is_read_as_it_was_written() -> None:
    digest = token_hash.digest(TOKEN)
    assert digest == hashlib.sha256(TOKEN.encode()).digest()
    assert token_hash.loads(token_hash.dumps(digest)) == digest
    assert TOKEN not in token_hash.dumps(digest)


def test_a_token_may_be_any_text() -> None:
    assert token_hash.digest("\ud800") != token_hash.digest("?")


@pytest.mark.parametrize("text", ["", TOKEN, "sha256:", "sha256:" + "g" * 64, "md5:" + "0" * 64, "sha256:" + "0" * 65])
def test_what_is_no_hash_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="wiretape token create") as raised:
        token_hash.loads(text)
    assert not text or text == "sha256:" or text not in str(raised.value)
