from __future__ import annotations

import pytest

from chainkeep.chainlit.signing import sign, signing_key, verify

KEY = b"a key"
EXPIRES = 1_000


def signed_at(
    now: float, *, expires: str = "1000", thread: str = "t", element: str = "e", key: bytes = KEY
) -> bool:
    """Whether the signature for thread t and element e, good before second 1000, is accepted."""
    signature = sign("t", "e", expires=EXPIRES, key=KEY)
    return verify(thread, element, expires=expires, signature=signature, key=key, clock=lambda: now)


def test_a_signature_is_good_until_it_expires():
    assert signed_at(999.9)


@pytest.mark.parametrize("now", [1_000, 1_000.1, 99_999])
def test_a_signature_is_bad_once_it_has_expired(now: float):
    assert not signed_at(now)


@pytest.mark.parametrize("expires", ["1001", "", "-1", "1e9", "1000 ", "\u0661000", "9" * 5000])
def test_the_moment_of_expiry_cannot_be_changed(expires: str):
    assert not signed_at(0, expires=expires)


def test_a_signature_is_good_for_one_element_of_one_thread():
    assert not signed_at(0, thread="other")
    assert not signed_at(0, element="other")


def test_a_signature_of_another_key_is_bad():
    assert not signed_at(0, key=b"another key")


@pytest.mark.parametrize("signature", ["", "0" * 64, "ü", "\udc80"])
def test_a_made_up_signature_is_bad(signature: str):
    assert not verify("t", "e", expires="1000", signature=signature, key=KEY, clock=lambda: 0)


def test_ids_cannot_be_cut_in_another_place():
    cut = (
        sign('a", "b', "c", expires=EXPIRES, key=KEY),
        sign("a", 'b", "c', expires=EXPIRES, key=KEY),
    )
    assert cut[0] != cut[1]


def test_the_key_follows_the_secret_and_is_not_the_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CHAINLIT_AUTH_SECRET", "one")
    first = signing_key()
    monkeypatch.setenv("CHAINLIT_AUTH_SECRET", "two")
    assert first not in {signing_key(), b"one"}


def test_without_a_secret_the_key_stays_as_long_as_the_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CHAINLIT_AUTH_SECRET", raising=False)
    assert signing_key() == signing_key()
