"""API keys: every refusal, what the file holds, and several writers at once."""

import contextlib
import hmac
import json
import os
import stat
import sys
import threading

import pytest

from course_utils.service import keys as module
from course_utils.service.access import TokenBucket
from course_utils.service.keys import (
    KeyExpired,
    KeyFileError,
    KeyMissing,
    KeyStore,
    KeyTooNarrow,
    KeyWrong,
    RateExceeded,
)

DAY = 86400


class Clock:
    """A clock that stands until a test moves it."""

    now = 1_800_000_000.0  # 2027-01-15 08:00 UTC

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    return KeyStore(tmp_path / "keys.json", clock)


def id_of(text):
    return text.split("_")[1]


def test_a_key_passes_for_what_its_scopes_allow(store):
    text = store.add("Ada", ["predict:digits", "read:*", "metrics"], days=1, per_minute=60)
    key = store.check(text, "predict", "digits")
    assert (key.id, key.owner) == (id_of(text), "Ada")
    assert key.scopes == ("predict:digits", "read:*", "metrics")
    assert store.check(text, "read", "anything") == key
    assert store.check(text, "metrics") == key


@pytest.mark.parametrize("presented", [None, ""])
def test_no_key_is_refused(store, presented):
    with pytest.raises(KeyMissing) as refused:
        store.check(presented, "read", "digits")
    assert refused.value.status == 401
    assert refused.value.key_id is None
    sentence = "This request needs an API key: send `Authorization: Bearer lms_…`."
    assert str(refused.value) == sentence


def wrong_texts(text):
    start, last = text[:-1], text[-1]
    return {
        "last digit": start + ("0" if last != "0" else "1"),
        "unknown id": text.replace(id_of(text), "0" * 8),
        "cut": start,
        "longer": text + "0",
        "capitals": text.upper(),
        "line end": text + "\n",
        "no form": "secret",
        "not ASCII": "lms_ключ_\udcff",
        "the empty secret": f"lms_{id_of(text)}_",
    }


@pytest.mark.parametrize("kind", wrong_texts("lms_12345678_" + "ab" * 32))
def test_a_wrong_key_is_refused_after_one_comparison(store, monkeypatch, kind):
    presented = wrong_texts(store.add("Ada", ["read:*"], days=1, per_minute=60))[kind]
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(
        module.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or compare(a, b)
    )
    with pytest.raises(KeyWrong) as refused:
        store.check(presented, "read", "digits")
    assert refused.value.status == 401
    assert refused.value.key_id is None, "a key that was not proven must not be logged as proven"
    assert str(refused.value) == "This API key is not known here; check that it was copied whole."
    # One comparison of two hashes, whether the id is known or not.
    assert [(len(a), len(b)) for a, b in compared] == [(64, 64)]


def test_a_key_expires(store, clock):
    text = store.add("Ada", ["read:*"], days=2, per_minute=60)
    clock.now += 2 * DAY - 1
    store.check(text, "read", "digits")
    clock.now += 1
    with pytest.raises(KeyExpired) as refused:
        store.check(text, "read", "digits")
    assert (refused.value.status, refused.value.key_id) == (401, id_of(text))
    sentence = f"API key {id_of(text)} expired on 2027-01-17 08:00 UTC; ask for a new one."
    assert str(refused.value) == sentence


def test_a_revoked_key_is_refused_and_keeps_its_owner(store, clock):
    text = store.add("Ada", ["read:*"], days=2, per_minute=60)
    clock.now += 60
    store.revoke(id_of(text))
    with pytest.raises(KeyExpired, match=r"expired on 2027-01-15 08:01 UTC"):
        store.check(text, "read", "digits")
    clock.now += 60
    store.revoke(id_of(text))  # again: the first time counts
    assert [(key.owner, key.expires) for key in store.all()] == [("Ada", clock.now - 60)]
    with pytest.raises(ValueError, match="no key has the id 'ffffffff'"):
        store.revoke("ffffffff")


@pytest.mark.parametrize(
    ("action", "model", "wanted"),
    [
        ("predict", "letters", "predict:letters"),
        ("read", "digits", "read:digits"),
        ("admin", "digits", "admin:digits"),
        ("metrics", None, "metrics"),
        ("predict", None, "predict"),
        ("predict", "*", "predict:*"),
    ],
)
def test_a_key_is_refused_for_what_its_scopes_do_not_name(store, action, model, wanted):
    text = store.add("Ada", ["predict:digits"], days=1, per_minute=60)
    with pytest.raises(KeyTooNarrow) as refused:
        store.check(text, action, model)
    assert (refused.value.status, refused.value.key_id) == (403, id_of(text))
    assert str(refused.value) == (
        f"API key {id_of(text)} may not do `{wanted}`; its scopes: predict:digits."
    )


def test_the_rate_is_limited_for_each_key_and_refills(store, clock):
    text, other = (store.add("Ada", ["read:*"], days=1, per_minute=3) for _ in range(2))
    for _ in range(3):
        store.check(text, "read", "digits")
    with pytest.raises(RateExceeded) as refused:
        store.check(text, "read", "digits")
    assert (refused.value.status, refused.value.key_id) == (429, id_of(text))
    assert refused.value.retry_after == 20
    assert str(refused.value) == (
        f"API key {id_of(text)} may send 3 requests a minute; try again in 20 s."
    )
    store.check(other, "read", "digits")
    clock.now += 20
    store.check(text, "read", "digits")
    with pytest.raises(RateExceeded):
        store.check(text, "read", "digits")


def test_a_refused_request_does_not_count_for_the_rate(store):
    text = store.add("Ada", ["read:*"], days=1, per_minute=1)
    for _ in range(3):
        with pytest.raises(KeyTooNarrow):
            store.check(text, "admin", "digits")
    store.check(text, "read", "digits")


def test_a_bucket_never_holds_more_than_a_minute_and_stands_a_clock_set_back():
    bucket = TokenBucket(per_minute=2, now=1000.0)
    assert [bucket.take(1000.0), bucket.take(1000.0)] == [0.0, 0.0]
    assert bucket.take(1000.0) == 30.0
    assert bucket.take(500.0) == 30.0, "time that runs backwards must not take tokens away"
    assert bucket.take(530.0) == 0.0
    assert [bucket.take(9999.0) for _ in range(3)] == [0.0, 0.0, 30.0]


def test_the_file_holds_salted_hashes_and_no_key(store):
    texts = [store.add("Ada", ["read:*"], days=1, per_minute=60) for _ in range(2)]
    content = store.path.read_text(encoding="utf-8")
    for text in texts:
        assert text not in content
        assert text.split("_")[2] not in content
    first, second = json.loads(content)["keys"]
    assert first["salt"] != second["salt"]
    assert first["hash"] != second["hash"]
    secret = texts[0].split("_")[2]
    assert first["hash"] == module.hash_secret(secret, first["salt"])
    assert first["hash"] != module.hash_secret(secret, second["salt"]), "the salt must count"
    assert first["hash"] not in repr(store.all())


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_the_owner_may_read_the_file(store):
    old = os.umask(0)
    try:
        store.add("Ada", ["read:*"], days=1, per_minute=60)
        assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
        store.path.chmod(0o644)
        store.add("Bob", ["read:*"], days=1, per_minute=60)
        assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    finally:
        os.umask(old)


def test_a_running_store_sees_what_another_adds_and_revokes(store, clock):
    other = KeyStore(store.path, clock)
    text = other.add("Ada", ["read:*"], days=1, per_minute=60)
    store.check(text, "read", "digits")
    other.revoke(id_of(text))
    with pytest.raises(KeyExpired):
        store.check(text, "read", "digits")
    store.path.unlink()
    with pytest.raises(KeyWrong):
        store.check(text, "read", "digits")
    assert store.all() == []


def test_several_stores_add_at_once_and_lose_nothing(tmp_path):
    stores = [KeyStore(tmp_path / "keys.json") for _ in range(4)]

    def add(number):
        for _ in range(5):
            stores[number].add(f"owner {number}", ["read:*"], days=1, per_minute=60)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    owners = sorted(key.owner for key in KeyStore(tmp_path / "keys.json").all())
    assert owners == sorted(f"owner {number}" for number in range(4) for _ in range(5))


def test_the_rate_holds_for_requests_in_many_threads(store):
    text = store.add("Ada", ["read:*"], days=1, per_minute=50)
    passed = []

    def ask():
        for _ in range(20):
            with contextlib.suppress(RateExceeded):
                passed.append(store.check(text, "read", "digits"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 50


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"owner": " "}, "owner of a key is a name of printable characters, not ' '"),
        ({"owner": "a\nb"}, r"not 'a\\nb'"),
        ({"scopes": []}, "found none"),
        ({"scopes": ["predict"]}, "found 'predict'"),
        ({"scopes": ["read:*", "metrics:*"]}, r"found 'metrics:\*'"),
        ({"scopes": ["predict:a/b"]}, "found 'predict:a/b'"),
        ({"days": 0}, "at most 3650 days, not 0"),
        ({"days": float("nan")}, "not nan"),
        ({"days": 1e9}, "not 1000000000.0"),
        ({"per_minute": 0}, "at least 1 request a minute, a whole number, not 0"),
        ({"per_minute": 1.5}, "not 1.5"),
    ],
)
def test_add_refuses_what_makes_no_sense(store, changed, message):
    arguments = {"owner": "Ada", "scopes": ["read:*"], "days": 1, "per_minute": 60} | changed
    with pytest.raises(ValueError, match=message):
        store.add(**arguments)
    assert store.all() == []
    assert not store.path.exists()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"keys": 1}', '{"keys": [{"id": "x"}]}', '{"keys": ["x"]}', "\xff"]
)
def test_a_broken_file_lets_nobody_in(store, content):
    text = store.add("Ada", ["read:*"], days=1, per_minute=60)
    store.path.write_bytes(content.encode("latin-1"))
    with pytest.raises(KeyFileError, match=r"keys\.json is not a file of keys .* keys add"):
        store.check(text, "read", "digits")
    with pytest.raises(KeyFileError):
        store.add("Bob", ["read:*"], days=1, per_minute=60)
    assert store.path.read_bytes() == content.encode("latin-1"), "the evidence was overwritten"


def test_a_full_disk_leaves_the_old_keys(store, monkeypatch):
    text = store.add("Ada", ["read:*"], days=1, per_minute=60)
    before = store.path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(KeyFileError, match=r"cannot be written: No space .* nothing was ch"):
            store.add("Bob", ["read:*"], days=1, per_minute=60)
        with pytest.raises(KeyFileError):
            store.revoke(id_of(text))
    assert store.path.read_bytes() == before
    assert [key.owner for key in store.all()] == ["Ada"]
    store.check(text, "read", "digits")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match=r"keys\.json cannot be read: Not a directory"):
        KeyStore(tmp_path / "file" / "keys.json")
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(KeyFileError, match=r"keys\.json cannot be read: Is a directory"):
        KeyStore(tmp_path / "keys.json")
