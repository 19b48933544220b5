"""`python3 -m course_utils serve`, `keys` and `audit`.

Only the standard library is imported at the top, so that --help and wrong use are answered before
anything is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from course_utils.setup import arguments

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "build/service"
REPLICAS = 2
MOST_REPLICAS = 64  # processes of about half a gigabyte for each version
MOST_DAYS = 3650
MOST_PER_MINUTE = 10**9
FIRST_KEY = {"owner": "first key", "scopes": ["predict:*", "read:*"], "days": 30, "per_minute": 600}


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `serve`."""
    _add_folder(parser)
    parser.add_argument(
        "--host", type=arguments.host, default="127.0.0.1", help="address to listen on (127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=arguments.FREE_PORT, default=8000, help="port; 0 takes a free one (8000)"
    )
    parser.add_argument(
        "--tls", action="store_true", help="HTTPS with a certificate made here, in FOLDER/tls"
    )
    parser.add_argument(
        "--certificate", metavar="FILE", help="HTTPS with this certificate (PEM) and --private-key"
    )
    parser.add_argument("--private-key", metavar="FILE", help="key of --certificate (PEM)")
    parser.add_argument(
        "--require-sealed", action="store_true", help="serve sealed model files only"
    )
    parser.add_argument(
        "--drain",
        type=arguments.whole_number(0, 600),
        default=1,
        metavar="SECONDS",
        help="after SIGTERM, go on for so long while /readyz says 503 (1)",
    )
    parser.add_argument(
        "--keep-inputs", action="store_true", help="write the images, too, to the audit log"
    )
    parser.add_argument(
        "--ray", action="store_true", help="on Ray Serve, with replicas (optional, see README)"
    )
    parser.add_argument(
        "--replicas",
        type=arguments.whole_number(1, MOST_REPLICAS),
        metavar="N",
        help=f"with --ray: processes for each version ({REPLICAS})",
    )


def add_keys_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `keys`."""
    parser.add_argument("action", choices=("add", "list", "revoke"))
    parser.add_argument("id", nargs="?", help="revoke: the key's id, as `list` shows it")
    _add_folder(parser)
    parser.add_argument("--owner", help="add: whose key it is")
    parser.add_argument(
        "--scope",
        action="append",
        help="add: predict:MODEL, read:MODEL, admin:MODEL (* is every model), metrics; repeat it",
    )
    parser.add_argument(
        "--days",
        type=arguments.number(0, MOST_DAYS, "days"),
        default=30,
        help="add: days until it expires (30)",
    )
    parser.add_argument(
        "--per-minute",
        type=arguments.whole_number(1, MOST_PER_MINUTE),
        default=600,
        help="add: requests allowed in a minute (600)",
    )


def add_audit_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `audit`."""
    parser.add_argument("action", choices=("verify",))
    _add_folder(parser)


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder",
        type=arguments.folder,
        help=f"state of the service (default {FOLDER} in the course's folder; where that cannot be "
        "written, in your home)",
    )


def keys(args: argparse.Namespace) -> int:
    """Add, list or revoke keys; a running service takes notice at its next request."""
    from course_utils.service.keys import KeyFileError, KeyStore

    try:
        store = KeyStore(args.folder / "keys.json")
        if args.action == "add":
            key = store.add(args.owner or "", args.scope or (), args.days, args.per_minute)
            print(f"{key}\nKeep it: it is shown only now.")
        elif args.action == "revoke":
            store.revoke(args.id)
            print(f"Key {args.id} is revoked.")
        else:
            _list_keys(store.all())
    except (KeyFileError, ValueError, KeyError) as error:
        print(f"error: {error.args[0]}.", file=sys.stderr)
        return 1
    return 0


def _list_keys(found: list) -> None:
    now = datetime.now(UTC).timestamp()
    print(f"{'id':<8}  {'expires (UTC)':<16}  {'a minute':>8}  scopes; owner")
    for key in found:
        when = f"{datetime.fromtimestamp(key.expires, UTC):%Y-%m-%d %H:%M}"
        state = "" if now < key.expires else " (expired or revoked)"
        scopes = ", ".join(key.scopes)
        print(f"{key.id}  {when}  {key.per_minute:>8}  {scopes}; {key.owner}{state}")


def audit(args: argparse.Namespace) -> int:
    """Verify the audit log: exit code 0 if it is intact, 1 if not."""
    from course_utils.service.audit import AuditError, verify
    from course_utils.service.vault import SealError, read_secret

    try:
        report = verify(args.folder / "audit.log", read_secret(args.folder / "secret.key"))
    except (AuditError, SealError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{args.folder / 'audit.log'}: {report}")
    return 0 if report.ok else 1


def serve(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; returns 0 then, or 1 after one sentence on what is wrong."""
    from course_utils.data import DataError
    from course_utils.service.audit import AuditError
    from course_utils.service.contract import ServiceError
    from course_utils.service.keys import KeyFileError
    from course_utils.service.tls import TlsError
    from course_utils.service.vault import SealError

    sentence = _ray_refusal(args)
    if sentence:
        print(f"error: {sentence}", file=sys.stderr)
        return 1
    try:
        return _serve(args)
    except (AuditError, DataError, KeyFileError, SealError, ServiceError, TlsError) as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        if error.filename:
            step = "name a folder that has room, and where you may write, with --folder"
            print(f"error: {error.filename}: {error.strerror}; {step}.", file=sys.stderr)
        else:
            step = "choose others with --host and --port"
            where = f"{args.host}, port {args.port}"
            print(f"error: {where}: {error.strerror or error}; {step}.", file=sys.stderr)
    return 1


def _ray_refusal(args: argparse.Namespace) -> str:
    """Return why --ray or --replicas cannot be followed; empty if they can, or are not given."""
    if not args.ray:
        return "--replicas belongs to --ray; give both" if args.replicas is not None else ""
    try:
        from course_utils.service import ray_serve  # noqa: F401
    except ImportError as error:
        return (
            f"--ray needs Ray Serve, an optional extra, and this Python has it not ({error}). "
            f"In the course's folder: {sys.executable} -m pip install -r requirements-ray.lock"
        )
    return ""


def _serve(args: argparse.Namespace) -> int:
    from course_utils.service.audit import AuditLog
    from course_utils.service.keys import KeyStore
    from course_utils.service.models import ModelStore, open_keras
    from course_utils.service.server import listen

    files = _certificate(args)
    with listen(args.host, args.port) as listener:
        port = listener.getsockname()[1]
        address = f"http{'s' if files else ''}://{_shown(args.host)}:{port}/"
        secret = _secret(args.folder / "secret.key")
        log = AuditLog(args.folder / "audit.log", secret, args.keep_inputs)
        key_store = KeyStore(args.folder / "keys.json")
        options = {"open_model": partial(open_keras, secret=secret)}
        if args.ray:
            from course_utils.service import ray_serve

            options = ray_serve.store_options(args.folder, args.replicas or REPLICAS)
        options["require_sealed"] = args.require_sealed
        store = ModelStore(args.folder / "models", **options)
        announce = partial(_announce, key_store=key_store, address=address, folder=args.folder)
        _start_tensorflow()
        if not store.files():
            _train(args.folder / "models" / "digits" / "1" / "model.keras")
        serve_it = partial(_run, args, store, key_store, log, listener, files, announce)
        if args.ray:
            ray_serve.run(args.replicas or REPLICAS, serve_it)
        else:
            serve_it()
        log.close()
    print("Stopped; what was accepted is answered.")
    return 0


def _run(args, store, key_store, log, listener, files: dict, announce) -> None:
    from course_utils.data import load_mnist
    from course_utils.service.app import create_app
    from course_utils.service.samples import samples_json
    from course_utils.service.server import new_event_loop, run

    samples = {"samples.json": samples_json(*load_mnist()[1])}
    app = create_app(store, key_store, log, files=samples)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(run(app, listener, files, lambda: announce(store.models), args.drain))


def _certificate(args: argparse.Namespace) -> dict:
    """Return uvicorn's settings for TLS; none without it."""
    from course_utils.service.tls import TlsError, check_certificate, make_certificate

    if args.certificate or args.private_key:
        if not (args.certificate and args.private_key):
            raise TlsError("--certificate and --private-key belong together; give both")
        check_certificate(args.certificate, args.private_key)
        return {"ssl_certfile": args.certificate, "ssl_keyfile": args.private_key}
    if args.tls:
        hosts = dict.fromkeys([args.host, "localhost", "127.0.0.1"])
        certificate, private = make_certificate(args.folder / "tls", hosts)
        return {"ssl_certfile": certificate, "ssl_keyfile": private}
    if not _is_loopback(args.host):
        print(
            f"warning: {args.host} can be reached from other machines, and without --tls keys and "
            "images cross the network in plain text.",
            file=sys.stderr,
        )
    return {}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _secret(path: Path) -> bytes:
    """Return the secret of the service, made at its first start."""
    from course_utils.service import vault

    if not path.exists() and vault.VARIABLE not in os.environ:
        return vault.make_secret(path)
    return vault.read_secret(path)


def _start_tensorflow() -> None:
    from course_utils import environment

    with environment.silent_stderr():
        import tensorflow as tf

        # One core is for HTTP. A small network is no slower with one thread than with two.
        threads = max(1, (os.cpu_count() or 1) - 1)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.list_logical_devices()  # starts the runtime, which writes lines of its own


def _train(path: Path) -> None:
    from course_utils.service import digits

    print("There is no model yet: training lesson 06's network, about 20 s on two cores.")
    accuracy = digits.train(path)
    print(f"Saved {path}: {accuracy:.2%} of the test images right.")


def _announce(models: dict, key_store, address: str, folder: Path) -> None:
    """Print what is served, where, and a first key if there is no valid one."""
    for name, model in models.items():
        versions = ", ".join(map(str, sorted(model.versions)))
        print(f"Model   {name}: version {versions} loaded, {model.routing.default} answers")
    now, key = datetime.now(UTC).timestamp(), None
    if not any(now < key.expires for key in key_store.all()):
        key = key_store.add(**FIRST_KEY)
    print(f"Page    {address}")
    print(f"Routes  {address}docs")
    if key:
        print(f"Key     {_shown_key(key, folder)} ({', '.join(FIRST_KEY['scopes'])}; 30 days)")
        print(f'Try     curl -H "Authorization: Bearer lms_…" {address}v1/models/digits')
    else:
        print("Key     those that exist; another one: python3 -m course_utils keys add --help")
    print("Stop    Ctrl-C", flush=True)


def _shown_key(key: str, folder: Path) -> str:
    """Return the key with a note; where a file takes what is printed, the place of a file for it.

    Logs are read by more people than keys are meant for.
    """
    if sys.stdout.isatty():
        return f"{key}, shown only now"
    from course_utils.files import write_atomically

    path = folder / "first_key.txt"
    write_atomically(path, f"{key}\n", mode=0o600)
    return f"in {path}, for you alone: copy it, then delete the file"


def _in_folder(command: Callable[[argparse.Namespace], int]) -> Callable:
    """Let a command have its folder: `args.folder` as given, or one that can be written."""

    def run(args: argparse.Namespace) -> int:
        from course_utils.files import writable_folder

        if args.folder:
            return command(args)
        try:
            args.folder = writable_folder(ROOT, FOLDER)
        except OSError as error:
            print(f"error: {error}. Name a folder where you may write: --folder.", file=sys.stderr)
            return 1
        if not args.folder.is_relative_to(ROOT):
            print(f"{ROOT} cannot be written: the files are in {args.folder}.", file=sys.stderr)
        return command(args)

    return run


COMMANDS = {
    "serve": (add_serve_arguments, _in_folder(serve)),
    "keys": (add_keys_arguments, _in_folder(keys)),
    "audit": (add_audit_arguments, _in_folder(audit)),
}
