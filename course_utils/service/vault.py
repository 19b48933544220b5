"""Model files at rest: encrypted with AES-256-GCM, and loaded without running code from them.

A sealed file is `LMSSEAL1`, 12 bytes of nonce, then the encrypted bytes and 16 bytes of tag. The
nonce is fresh and random each time (two files under one nonce and key would give both away). Name
and version of the model are associated data: they are not in the file, but the tag covers them, so
that one model's file put in the place of another is refused.

This protects the file, not the model: a loaded model lies open in memory, and who may ask it can
learn much of it from its answers.
"""

from __future__ import annotations

import hmac
import io
import json
import os
import secrets
import zipfile
from collections.abc import Container
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from course_utils.files import write_atomically

MAGIC = b"LMSSEAL1"
NONCE = 12  # bytes, the length that GCM is made for
SEALED = ".enc"  # added to the file's name
VARIABLE = "LMS_SECRET_KEY"  # the environment variable that may hold the secret
# Layers whose saved form is, or points to, code that runs with the model.
CODE = {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}


class SealError(RuntimeError):
    """A sealed file or its secret is missing, altered, or not the one that was asked for."""


class ModelRefused(RuntimeError):
    """The file is not a model that may be loaded: it has code in it, or is no `.keras` archive."""


def read_secret(path: str | os.PathLike) -> bytes:
    """Return the service's secret: 32 bytes, written as 64 hexadecimal digits.

    It comes from the environment variable LMS_SECRET_KEY if that is set, else from the file, which
    nobody but its owner may be able to read. Raises SealError.
    """
    text, place = os.environ.get(VARIABLE), f"the environment variable {VARIABLE}"
    if text is None:
        path = place = Path(path)
        try:
            if os.name != "nt" and path.stat().st_mode & 0o077:
                raise SealError(f"{path} can be read by others; run `chmod 600 {path}`")
            text = path.read_text(encoding="ascii", errors="replace")
        except OSError as error:
            raise SealError(
                f"the secret cannot be read from {path}: {error.strerror}; restore the file or "
                f"set {VARIABLE}"
            ) from error
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise SealError(
            f"{place}: expected 64 hexadecimal digits, found {len(text.strip())} characters"
        )
    return secret


def make_secret(path: str | os.PathLike) -> bytes:
    """Write a fresh random secret to `path` (mode 0600), which must not exist, and return it."""
    path = Path(path)
    if path.exists():
        raise SealError(f"{path} exists; what it sealed would be lost without it")
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_bytes(32)
    write_atomically(path, secret.hex() + "\n", mode=0o600)
    return secret


def _cipher(secret: bytes) -> AESGCM:
    # A key of its own for each purpose: the audit log uses the same secret.
    return AESGCM(hmac.digest(secret, b"model files", "sha256"))


def _label(name: str, version: int) -> bytes:
    return MAGIC + json.dumps([name, int(version)]).encode()  # JSON: no two pairs look the same


def seal(path: str | os.PathLike, key: bytes) -> Path:
    """Encrypt NAME/VERSION/model.keras as model.keras.enc and remove the plain file.

    Return the new path. The encrypted file is complete before the plain one goes; on flash memory
    the plain bytes may stay readable to a laboratory. Raises SealError for a path of another form,
    OSError when reading or writing fails.
    """
    path = Path(path)
    name, version = path.absolute().parent.parent.name, path.absolute().parent.name
    if not name or not version.isdecimal():
        raise SealError(f"expected a path such as digits/1/model.keras, found {path}")
    nonce = secrets.token_bytes(NONCE)
    sealed = _cipher(key).encrypt(nonce, path.read_bytes(), _label(name, int(version)))
    target = path.with_name(path.name + SEALED)
    write_atomically(target, MAGIC + nonce + sealed, mode=0o600)
    path.unlink()
    return target


def open_sealed(path: str | os.PathLike, key: bytes, name: str, version: int) -> bytes:
    """Return the plain bytes of a sealed file, which must be of the model `name`, `version`.

    Raises SealError when the file is missing, altered in any bit, sealed with another secret, or
    belongs to another model or version.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SealError(f"{path} cannot be read: {error.strerror}") from error
    start = len(MAGIC) + NONCE
    if not content.startswith(MAGIC):
        raise SealError(f"{path} is not a sealed file: it does not begin with {MAGIC.decode()}")
    try:
        return _cipher(key).decrypt(
            content[len(MAGIC) : start], content[start:], _label(name, version)
        )
    except (InvalidTag, ValueError):  # ValueError: too short for nonce and tag
        raise SealError(
            f"{path} is refused: it was altered, or sealed with another secret, or is not the file "
            f"of {name} version {version}; restore it or seal the model again"
        ) from None


def code_in(config, ours: Container[str] = ()) -> list[str]:
    """Return what in a model's configuration names code: layers that carry it, or foreign names.

    Keras's own layers, losses and optimizers are not code; nor is a class registered in this
    process, by the name in `ours` (`keras.saving.get_custom_objects()`).
    """
    found, waiting = [], [config]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.values()
            name, module = str(item.get("class_name")), str(item.get("module") or "keras")
            if name == "function":  # by its name; Keras takes the name of a layer, too
                name = str(item.get("config"))
            if name in CODE:
                found.append(f"a layer {name.strip('_')}")
            registered = str(item.get("registered_name")) in ours
            if module.split(".")[0] not in ("keras", "builtins") and not registered:
                found.append(repr(f"{module}.{name}"[:100]))
    return sorted(set(found))


def load_keras(source: bytes | str | os.PathLike, label: str = "the model"):
    """Return the Keras model of a `.keras` archive, given as bytes or as a path; not compiled.

    Nothing is written to the disk: Keras reads the archive from memory (of the parts of a model,
    only vocabularies of text layers would go through a temporary folder). `label` names bytes in
    messages. Raises ModelRefused when the archive is broken, names code, or Keras refuses it; a
    SavedModel and a legacy `.h5` file are refused too, since both can hold code.

    Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
    """
    content, label = (source, label) if isinstance(source, bytes) else _read(source)
    config = _config(content, label)
    # Late: the import takes seconds. The public load_model takes only a path, this one also a file.
    from keras.saving import get_custom_objects
    from keras.src.saving import saving_lib, serialization_lib

    found = code_in(config, get_custom_objects())
    if found:
        raise ModelRefused(f"{label} is refused because it has code in it: {', '.join(found)}")
    try:
        # The scope holds even if somebody called keras.config.enable_unsafe_deserialization().
        with serialization_lib.SafeModeScope(True):
            return saving_lib.load_model(io.BytesIO(content), compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many types for a file that it refuses
        cause = str(error).rpartition("Exception encountered: ")[2]  # the innermost, else all
        reason = " ".join(cause.split())[:200]
        raise ModelRefused(f"{label} cannot be loaded in safe mode: {reason}") from error


def _config(content: bytes, label: str):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return json.loads(archive.read("config.json"))
    except Exception as error:  # zipfile and zlib raise many types for a broken archive
        raise ModelRefused(
            f"{label} is not a .keras archive ({error}); save the model with `model.save(…)` "
            "under a name that ends in .keras"
        ) from None


def _read(path: str | os.PathLike) -> tuple[bytes, str]:
    try:
        return Path(path).read_bytes(), str(path)
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read: {error.strerror}") from error
