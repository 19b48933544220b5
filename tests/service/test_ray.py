"""`serve --ray`: the same answers, refusals and end with replicas on Ray Serve; and without Ray."""

import asyncio
import importlib.util
import subprocess
import sys

import keras
import numpy as np
import psutil
import pytest

from course_utils.service.audit import verify
from course_utils.service.batching import Closed, QueueFull
from course_utils.service.keys import KeyStore
from course_utils.service.vault import make_secret, read_secret, seal
from tests import HANG
from tests.service.server import COMMAND, ROOT, Server, image, put_digits
from tests.service.test_cli import call

PREDICT = "/v1/models/digits:predict"
with_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="Ray is not installed: python3 -m pip install -r requirements-ray.lock",
)
# of Ray's own code, with the pinned pydantic
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20")
posix = pytest.mark.skipif("os.name == 'nt'", reason="ends the server with POSIX signals")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Version 1 sealed, version 2 plain; 2 answers, and 1 is its canary without a share."""
    folder = tmp_path_factory.mktemp("service")
    secret = make_secret(folder / "secret.key")
    put_digits(folder, 2)
    seal(put_digits(folder, 1), secret)
    routing = '{"default": 2, "canary": 1, "share": 0.0}'
    (folder / "models" / "digits" / "routing.json").write_text(routing)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with Server(folder, "--ray", "--replicas", "2") as server:
        yield server  # the last test ends it


def descendants(server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children(recursive=True)


@with_ray
@posix
def test_it_says_the_same_and_starts_the_replicas(server):
    assert "Ray     2 replicas a version; logs in /" in server.said
    assert "Model   digits: version 1, 2 loaded, 2 answers" in server.said
    assert f"Page    {server.address}/\n" in server.said
    assert server.ask("/readyz") == (200, {"status": "ready"})
    titles = [" ".join(process.cmdline()) for process in descendants(server)]
    for version in (1, 2):
        assert sum(f"digits-{version}:Replica" in title for title in titles) == 2, titles


@with_ray
@posix
@pytest.mark.parametrize("version", [1, 2])
def test_predictions_are_those_of_the_model(server, tmp_path, version):
    images = [image(seed) for seed in range(40)]
    path = put_digits(tmp_path, version)  # the same weights, since the version is the seed
    model = keras.models.load_model(path, compile=False)
    expected = model.predict(np.array(images, np.float32), verbose=0)
    ask = f"/v1/models/digits/versions/{version}:predict"
    status, answer = server.ask(ask, {"instances": images})
    assert (status, answer["version"]) == (200, version)
    np.testing.assert_allclose(answer["predictions"], expected, atol=1e-5)


@with_ray
@posix
@pytest.mark.parametrize(
    ("body", "key", "status", "sentence"),
    [
        ({"instances": [image(0)]}, "none", 401, "This API key is not known here"),
        ({"instances": [[1, 2]]}, None, 400, "Expected instances of shape [28, 28], found [2]."),
        ({"instances": [image(0)] * 257}, None, 400, "256"),
        (b"{", None, 400, "JSON"),
        (b" " * (2**22 + 1), None, 413, "larger than 4,194,304 bytes"),
    ],
)
def test_refusals_are_those_of_the_default_service(server, body, key, status, sentence):
    found, answer = server.ask(PREDICT, body, key)
    assert (found, sentence in answer["error"]) == (status, True), answer


@with_ray
@posix
def test_an_admin_unloads_and_loads_a_version(server, folder):
    admin = KeyStore(folder / "keys.json").add("admin", ["admin:*", "predict:*"], 1, 600)
    version = "/v1/models/digits/versions/1"
    routed = server.ask("/v1/models/digits/routing", {"default": 2}, admin, "PUT")
    assert routed[0] == 200
    assert server.ask(version + ":unload", {}, admin)[0] == 200
    assert not any("digits-1:" in " ".join(child.cmdline()) for child in descendants(server))
    assert server.ask(version + ":predict", {"instances": [image(0)]}, admin)[0] == 404
    assert server.ask(version + ":load", {}, admin)[0] == 200
    assert server.ask(version + ":predict", {"instances": [image(0)]}, admin)[0] == 200


@with_ray
@posix
def test_it_listens_and_speaks_on_this_machine_only(server):
    processes = [psutil.Process(server.process.pid), *descendants(server)]
    sockets = [one for process in processes for one in process.net_connections()]
    addresses = {end.ip for one in sockets for end in (one.laddr, one.raddr) if end}
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


@with_ray
@posix
def test_sigterm_ends_it_in_order_and_the_log_is_whole(server, folder):
    children = descendants(server)
    code, out, err = server.stop()
    assert (code, out, err) == (0, "Stopped; what was accepted is answered.\n", "")
    _, alive = psutil.wait_procs(children, timeout=HANG)
    assert not alive
    report = verify(folder / "audit.log", read_secret(folder / "secret.key"))
    assert report.ok, report
    log = (folder / "audit.log").read_text(encoding="utf-8")
    for status in (200, 400, 401, 404, 413):
        assert f'"status":{status}' in log


@with_ray
@posix
def test_a_bad_file_ends_it_with_the_sentence_of_the_default_service(tmp_path):
    path = tmp_path / "models" / "digits" / "1" / "model.keras"
    path.parent.mkdir(parents=True)
    path.write_text("no model")
    command = [*COMMAND, "serve", "--folder", str(tmp_path), "--port", "0"]
    results = [
        subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True)
        for more in ((), ("--ray",))
    ]
    assert "is not a .keras archive" in results[0].stderr
    assert results[1].stderr == results[0].stderr
    assert [result.returncode for result in results] == [1, 1]


class Handle:
    """Stands for the handle of a deployment."""

    app_name = "digits-1"

    def __init__(self):
        self.sizes, self.gate = [], asyncio.Event()

    async def remote(self, x):
        self.sizes.append(len(x))
        await self.gate.wait()
        return 2 * x


@with_ray
def test_a_call_of_ray_s_carries_a_batch_and_each_replica_has_some(monkeypatch):
    from ray import serve

    from course_utils.service.ray_serve import EACH, RayBatcher

    deleted = []
    monkeypatch.setattr(serve, "delete", deleted.append)

    async def scene():
        handle = Handle()
        batcher = RayBatcher(handle, 2, max_batch=8, queue_limit=80)
        tasks = [asyncio.create_task(batcher.submit(np.full((1, 3), i))) for i in range(81)]
        await asyncio.sleep(0.05)
        assert handle.sizes == [8] * 2 * EACH
        assert isinstance(tasks[-1].exception(), QueueFull)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(Closed):
            await batcher.submit(np.ones((1, 3)))
        assert deleted == []
        handle.gate.set()
        await closing
        for i, task in enumerate(tasks[:80]):
            np.testing.assert_array_equal(await task, np.full((1, 3), 2 * i))

    asyncio.run(scene())
    assert deleted == ["digits-1"]


# `serve` in a Python that cannot import Ray
WITHOUT_RAY = """
import argparse, sys
sys.modules["ray"] = None
from course_utils.service import cli
add_arguments, run = cli.COMMANDS["serve"]
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(run(parser.parse_args()))
"""


def test_without_ray_one_sentence_says_how_to_install_it(tmp_path):
    command = [sys.executable, "-c", WITHOUT_RAY, "--ray", "--folder", str(tmp_path / "service")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: --ray needs Ray Serve, an optional extra")
    assert result.stderr.endswith(f"{sys.executable} -m pip install -r requirements-ray.lock\n")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "service").exists()


def test_replicas_without_ray_are_refused(tmp_path, capsys):
    assert call("serve", "--replicas", "2", "--folder", tmp_path / "service") == 1
    assert "--replicas belongs to --ray" in capsys.readouterr().err
    assert not (tmp_path / "service").exists()


@posix
def test_the_default_path_never_imports_ray(tmp_path):
    put_digits(tmp_path)
    with Server(tmp_path, command=[sys.executable, "-c", WITHOUT_RAY]) as server:
        assert server.ask(PREDICT, {"instances": [image(0)]})[0] == 200
        assert server.stop()[0] == 0
