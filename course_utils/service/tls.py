"""The certificate for HTTPS: made here and signed by itself, or given and checked.

A self-signed certificate encrypts the wire for everybody, and proves who is at the other end only
to a client that was given this very certificate (`curl --cacert`, `ssl.create_default_context`).
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from course_utils.files import write_atomically

DAYS = 365  # for which a certificate made here is valid


class TlsError(RuntimeError):
    """A certificate or its private key cannot be used; the sentence says why."""


def make_certificate(folder: str | os.PathLike, hosts: Iterable[str]) -> tuple[Path, Path]:
    """Return the paths of a certificate for `hosts` and of its private key (mode 0600).

    Those in `folder` are kept while they are valid for another day and name all hosts; otherwise a
    new pair is made: a P-256 key, one year. `hosts` are names and IP addresses. Raises TlsError.
    """
    folder, names = Path(folder), [_name(host) for host in hosts]
    if not names:
        raise TlsError("a certificate needs at least one host, such as localhost")
    certificate, key = folder / "certificate.pem", folder / "private_key.pem"
    try:
        if _usable(certificate, key, names):
            return certificate, key
        folder.mkdir(parents=True, exist_ok=True)
        private = ec.generate_private_key(ec.SECP256R1())
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pem = serialization.Encoding.PEM
        write_atomically(key, private.private_bytes(pem, *form), mode=0o600)
        write_atomically(certificate, _self_signed(private, names).public_bytes(pem), mode=0o644)
    except OSError as error:
        raise TlsError(f"{folder}: no certificate can be written: {error.strerror}") from error
    return certificate, key


def check_certificate(certificate: str | os.PathLike, key: str | os.PathLike) -> x509.Certificate:
    """Return the certificate, after checking that it is valid today and that `key` belongs to it.

    Raises TlsError naming the file, what was expected and what was found.
    """
    found = _load(certificate, "certificate", x509.load_pem_x509_certificate)
    private = _load(key, "private key", lambda data: serialization.load_pem_private_key(data, None))
    now = datetime.now(UTC)
    if now < found.not_valid_before_utc:
        raise TlsError(f"{certificate} is valid only from {found.not_valid_before_utc:%Y-%m-%d} on")
    if now >= found.not_valid_after_utc:
        raise TlsError(
            f"{certificate} expired on {found.not_valid_after_utc:%Y-%m-%d}; get or make a new one"
        )
    if private.public_key() != found.public_key():
        raise TlsError(f"{key} is not the private key of {certificate}")
    return found


def _load(path: str | os.PathLike, kind: str, load):
    try:
        return load(Path(path).read_bytes())
    except OSError as error:
        raise TlsError(f"the {kind} {path} cannot be read: {error.strerror}") from error
    except TypeError:
        raise TlsError(f"the {kind} {path} is encrypted; expected one without a password") from None
    except ValueError:
        raise TlsError(f"{path} is not a {kind} in PEM form (-----BEGIN …)") from None


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        if not host or any(c.isspace() or c in "/:" for c in host):
            raise ValueError
        return x509.DNSName(host)
    except ValueError:
        raise TlsError(f"{host!r} is neither a host's name in ASCII nor an IP address") from None


def _usable(certificate: Path, key: Path, names: list[x509.GeneralName]) -> bool:
    """Say whether the pair exists, belongs together, outlives tomorrow and names all hosts."""
    try:
        found = check_certificate(certificate, key)
        named = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (TlsError, x509.ExtensionNotFound):
        return False
    return set(names) <= set(named) and datetime.now(UTC) + timedelta(1) < found.not_valid_after_utc


def _self_signed(key: ec.EllipticCurvePrivateKey, names: list) -> x509.Certificate:
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "course prediction service")])
    now, public = datetime.now(UTC), key.public_key()
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    others += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    certificate = (
        x509.CertificateBuilder(who, who, public, x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        # Not an authority: who trusts it trusts this service, not certificates that it signs.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, **dict.fromkeys(others, False)), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(issuer, critical=False)
    )
    return certificate.sign(key, hashes.SHA256())
