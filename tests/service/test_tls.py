"""Certificates: made and accepted by clients that trust them, or given and checked."""

import os
import ssl
import stat
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from course_utils.service import tls
from course_utils.service.tls import TlsError, check_certificate, make_certificate

HOSTS = ["localhost", "127.0.0.1", "::1"]


def handshake(pair, client, host):
    """Say whether `client`, an SSL context, and a server with this certificate agree."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*pair)
    wires = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(wires[0], wires[1], server_hostname=host),
        server.wrap_bio(wires[1], wires[0], server_side=True),
    ]
    for _ in range(10):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass
        if not ends:
            return True
    return False


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), HOSTS)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("strict", [False, True])
def test_a_client_that_trusts_the_certificate_accepts_it(pair, host, strict):
    client = ssl.create_default_context(cafile=pair[0])
    if strict:  # the default from Python 3.13 on
        client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    assert handshake(pair, client, host)


def test_a_client_that_does_not_trust_it_refuses(pair, tmp_path):
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate"):
        handshake(pair, ssl.create_default_context(), "localhost")
    other = make_certificate(tmp_path, HOSTS)
    client = ssl.create_default_context(cafile=other[0])
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(pair, client, "localhost")


def test_a_client_refuses_it_for_another_host(pair):
    client = ssl.create_default_context(cafile=pair[0])
    with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for 'example\.org'"):
        handshake(pair, client, "example.org")


def test_it_cannot_sign_for_others(pair):
    found = check_certificate(*pair)
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert found.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign is False


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_the_owner_may_read_the_private_key(pair):
    assert stat.S_IMODE(pair[1].stat().st_mode) == 0o600
    assert sorted(path.name for path in pair[0].parent.iterdir()) == [
        "certificate.pem",
        "private_key.pem",
    ]


def test_a_good_pair_is_kept_and_a_bad_one_made_again(tmp_path, monkeypatch):
    folder = tmp_path / "tls"
    first = make_certificate(folder, HOSTS)[0].read_bytes()
    assert make_certificate(folder, ["localhost"])[0].read_bytes() == first
    second = make_certificate(folder, ["example.org"])[0].read_bytes()
    assert second != first, "the old one does not name the host"
    (folder / "private_key.pem").write_text("broken")
    third = make_certificate(folder, ["example.org"])
    assert third[0].read_bytes() != second
    check_certificate(*third)
    monkeypatch.setattr(tls, "DAYS", 1)
    (folder / "certificate.pem").unlink()
    short = make_certificate(folder, ["example.org"])[0].read_bytes()
    assert make_certificate(folder, ["example.org"])[0].read_bytes() != short, "it ends too soon"


@pytest.mark.parametrize("host", ["", "a b", "https://localhost", "localhost:8000", "müller.de"])
def test_what_is_no_host_is_refused(tmp_path, host):
    with pytest.raises(TlsError, match=r"is neither a host's name in ASCII nor an IP address"):
        make_certificate(tmp_path, [host])
    with pytest.raises(TlsError, match="needs at least one host"):
        make_certificate(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(TlsError, match=r"file/tls: no certificate can be written: Not a direct"):
        make_certificate(tmp_path / "file" / "tls", HOSTS)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TlsError, match="no certificate can be written: No space left on device"):
        make_certificate(tmp_path / "tls", HOSTS)
    assert list((tmp_path / "tls").iterdir()) == []


# -- given files -----------------------------------------------------------------------------------


def given(folder, start=-1, end=1, key=None, password=None):
    """Write a certificate that is valid from `start` to `end` days from now, and its key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now + timedelta(start))
        .not_valid_after(now + timedelta(end))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    lock = serialization.NoEncryption()
    if password:
        lock = serialization.BestAvailableEncryption(password)
    (folder / "c.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "k.pem").write_bytes(key.private_bytes(pem, form, lock))
    return folder / "c.pem", folder / "k.pem"


def test_given_files_that_fit_are_accepted(tmp_path):
    check_certificate(*given(tmp_path))
    check_certificate(*given(tmp_path, key=ed25519.Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-2, -0.5, r"c\.pem expired on 20..-..-..; get or make a new one"),
        (0.5, 2, r"c\.pem is valid only from 20..-..-.. on"),
    ],
)
def test_a_certificate_that_is_not_valid_today_is_refused(tmp_path, start, end, message):
    with pytest.raises(TlsError, match=message):
        check_certificate(*given(tmp_path, start, end))


def test_given_files_that_do_not_fit_are_refused(tmp_path):
    certificate, key = given(tmp_path)
    folder = tmp_path / "other"
    folder.mkdir()
    other = given(folder)
    for first, second, message in [
        (certificate, other[1], r"other/k\.pem is not the private key of .*c\.pem"),
        (key, key, r"k\.pem is not a certificate in PEM form"),
        (certificate, certificate, r"c\.pem is not a private key in PEM form"),
        (tmp_path / "no.pem", key, r"the certificate .*no\.pem cannot be read: No such file"),
        (certificate, folder, r"the private key .*other cannot be read: Is a directory"),
    ]:
        with pytest.raises(TlsError, match=message):
            check_certificate(first, second)
    locked = given(folder, password=b"secret")
    with pytest.raises(TlsError, match=r"k\.pem is encrypted; expected one without a password"):
        check_certificate(*locked)
