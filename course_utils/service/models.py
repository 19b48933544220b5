"""Models by name and version: loading, routing, and swaps that lose no request."""

from __future__ import annotations

import asyncio
import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils.files import write_atomically
from course_utils.service import vault
from course_utils.service.batching import MicroBatcher
from course_utils.service.contract import Routing, ServiceError

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
FILES = ("model.keras.enc", "model.keras")  # sealed by `vault`, which is taken first, and plain
# The routing, and a copy that is written before it, for the case that the first cannot be read.
ROUTING, ROUTING_COPY = "routing.json", "routing.copy.json"


class NotFound(ServiceError):
    """No such model or version."""

    status = 404


class Conflict(ServiceError):
    """The request contradicts the state of the service."""

    status = 409


class ModelError(ServiceError):
    """A model file that cannot be used; the message says why."""

    status = 422


class NotStored(ServiceError):
    """A change that cannot be stored, and was therefore not made."""

    status = 503
    retry_after = 60.0


class Predictor(NamedTuple):
    """What the service needs of a model, compiled and ready."""

    predict: Callable[[np.ndarray], np.ndarray]  # (n, *input_shape) float32 → (n, *output_shape)
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    bounds: tuple[float, float] | None = None  # of the inputs' values, where the model tells


@dataclass
class Version:
    """A loaded version of a model."""

    number: int
    predictor: Predictor
    batcher: MicroBatcher  # or what `make_batcher` of the store returned


@dataclass
class Model:
    """The loaded versions of a model and which of them answers."""

    versions: dict[int, Version] = field(default_factory=dict)
    routing: Routing | None = None


def compile_model(model) -> Predictor:
    """Return a Keras model as one compiled function for any number of instances."""
    import tensorflow as tf

    input_shape = tuple(model.input_shape[1:])
    signature = [tf.TensorSpec((None, *input_shape), tf.float32)]
    function = tf.function(lambda x: model(x, training=False), input_signature=signature)
    function = function.get_concrete_function()

    def predict(x: np.ndarray) -> np.ndarray:
        return function(tf.constant(x)).numpy()

    predict(np.zeros((1, *input_shape), np.float32))  # the first call is slow; let it be this one
    return Predictor(predict, input_shape, tuple(model.output_shape[1:]), input_range(model))


def input_range(model) -> tuple[float, float] | None:
    """Return the values that a Keras model's first layer, if it is a Rescaling, makes 0 to 1.

    With a negative offset it is -1 to 1. So 1/255 means pixels from 0 to 255. None without it.
    """
    first = next((x for x in model.layers if type(x).__name__ != "InputLayer"), None)
    if hasattr(first, "layers"):  # a model in the model
        return input_range(first)
    if type(first).__name__ != "Rescaling" or np.ndim(first.scale) or np.ndim(first.offset):
        return None
    scale, offset = float(first.scale), float(first.offset)
    ends = (((-1.0 if offset < 0 else 0.0) - offset) / scale, (1.0 - offset) / scale)
    low, high = sorted(round(end, 6) + 0.0 for end in ends)
    return low, high


def open_keras(path: Path, name: str, version: int, secret: bytes) -> Predictor:
    """Return the model in a file, compiled; a sealed file is decrypted in memory with `secret`.

    Raises SealError and ModelRefused, as `vault` does.
    """
    sealed = path.suffix == vault.SEALED
    source = vault.open_sealed(path, secret, name, version) if sealed else path
    return compile_model(vault.load_keras(source, str(path)))


class ModelStore:
    """The models in `folder`, files NAME/VERSION/model.keras or model.keras.enc.

    open_model: called in a thread with path, name and version; returns a Predictor or raises an
    error whose text is meant for the caller. make_batcher: called with the version's `predict` and
    the arguments `batching`; returns an object with MicroBatcher's submit, close and waiting.
    require_sealed: refuse files that are not sealed. report: told what is passed over at start.
    """

    def __init__(
        self,
        folder: Path,
        open_model: Callable,
        draw: Callable[[], float] = random.random,
        make_batcher: Callable = MicroBatcher,
        require_sealed: bool = False,
        report: Callable[[str], None] = lambda sentence: print(sentence, file=sys.stderr),
        **batching,
    ):
        """Load nothing yet; `draw` returns the number in [0, 1) that picks the canary."""
        self.folder, self.open_model, self.draw = Path(folder), open_model, draw
        self.make_batcher, self.batching = make_batcher, batching
        self.require_sealed, self.report = require_sealed, report
        self.models: dict[str, Model] = {}
        self.ready = False  # all models loaded, and not closing
        self._lock = asyncio.Lock()  # one load or unload at a time

    def files(self) -> list[tuple[str, int]]:
        """Return name and version of every model file in the folder, oldest version first."""
        found = {
            (path.parent.parent.name, int(path.parent.name))
            for name in FILES
            for path in self.folder.glob(f"*/*/{name}")
            if re.fullmatch("[1-9][0-9]{0,8}", path.parent.name)
            and NAME.fullmatch(path.parent.parent.name)
        }
        return sorted(found)

    async def load_all(self) -> None:
        """Load what each model's routing names, and nothing else; then be ready.

        Other versions wait for `load`. Without a stored routing the newest version answers, of a
        model with sealed versions the newest sealed one, and that is stored. What cannot be used is
        reported and passed over. Raises ModelError when there are files and no model can be served.
        """
        found: dict[str, list[int]] = {}
        for name, version in self.files():
            found.setdefault(name, []).append(version)
        faults: list[str] = []
        for name, versions in found.items():
            routing = self._stored_routing(name, faults)
            if routing:
                await self._load_routed(name, routing, faults)
            else:
                await self._load_newest(name, versions, faults)
        if found and not self.models:
            raise ModelError(" ".join(faults))
        for fault in faults:
            self.report(f"warning: {fault}")
        self.ready = True

    def _stored_routing(self, name: str, faults: list[str]) -> Routing | None:
        """Return the routing in the file, or in its copy; None where there is no whole one."""
        for file in (ROUTING, ROUTING_COPY):
            path = self.folder / name / file
            try:
                return Routing.model_validate_json(path.read_bytes())
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:  # ValueError: Pydantic's, too
                reason = " ".join(str(error).split())[:200]
                faults.append(f"{path} is passed over, since it is not a routing: {reason}")
        return None

    async def _load_routed(self, name: str, routing: Routing, faults: list[str]) -> None:
        try:
            await self.load(name, routing.default)
        except (NotFound, ModelError) as error:
            faults.append(f"{_ended(error)} The routing names it: {name!r} is not served.")
            return
        try:
            if routing.canary is not None:
                await self.load(name, routing.canary)
        except (NotFound, ModelError) as error:
            faults.append(f"{_ended(error)} It was the canary: {routing.default} answers alone.")
            routing = Routing(default=routing.default)
        self.models[name].routing = routing

    async def _load_newest(self, name: str, versions: list[int], faults: list[str]) -> None:
        folders = {version: self.folder / name / str(version) for version in versions}
        sealed = [version for version in versions if (folders[version] / FILES[0]).is_file()]
        for version in sorted(sealed or versions, reverse=True):
            try:
                await self.load(name, version)
            except (NotFound, ModelError) as error:
                faults.append(str(error))
                continue
            try:
                self.set_routing(name, Routing(default=version))
            except NotStored as error:
                faults.append(str(error))
            return

    async def load(self, name: str, version: int) -> None:
        """Load a version beside those that are loaded; the first one of a model answers for it.

        Raises NotFound (no such file), ModelError (the file cannot be used).
        """
        async with self._lock:
            if (name, version) not in self.files():
                raise NotFound(f"There is no file for version {version} of model {name!r}.")
            if name in self.models and version in self.models[name].versions:
                return
            folder = self.folder / name / str(version)
            path = next(folder / file for file in FILES if (folder / file).is_file())
            if self.require_sealed and path.name != FILES[0]:
                raise ModelError(f"Version {version} of {name!r} is refused: it is not sealed.")
            try:
                predictor = await asyncio.to_thread(self.open_model, path, name, version)
            except Exception as error:
                raise ModelError(f"Version {version} of {name!r} is refused: {error}") from error
            model = self.models.setdefault(name, Model())
            batcher = self.make_batcher(predictor.predict, **self.batching)
            model.versions[version] = Version(version, predictor, batcher)
            model.routing = model.routing or Routing(default=version)

    async def unload(self, name: str, version: int) -> None:
        """Forget a version after it has answered what it accepted.

        Raises NotFound, or Conflict for a version that the routing uses.
        """
        self.find(name, version)
        async with self._lock:
            routing = self.models[name].routing
            if version in (routing.default, routing.canary):
                raise Conflict(
                    f"Version {version} of {name!r} answers requests; route to another one first."
                )
            gone = self.models[name].versions.pop(version, None)
            if gone:
                await gone.batcher.close()

    def find(self, name: str, version: int | None = None) -> Model:
        """Return the model `name`; raises NotFound if it or the version is not loaded."""
        if name not in self.models:
            raise NotFound(f"There is no model {name!r}.")
        model = self.models[name]
        if version is not None and version not in model.versions:
            loaded = ", ".join(map(str, sorted(model.versions)))
            raise NotFound(f"Version {version} of {name!r} is not loaded; loaded: {loaded}.")
        return model

    def route(self, name: str, version: int | None = None) -> Version:
        """Return the version that answers: the one asked for, or canary or default by chance.

        Submit to its batcher before the next `await`: then no swap can come in between.
        """
        model = self.find(name, version)
        if version is None:
            routing = model.routing
            canary = routing.canary is not None and self.draw() < routing.share
            version = routing.canary if canary else routing.default
        return model.versions[version]

    def set_routing(self, name: str, routing: Routing) -> None:
        """Remember `routing` for the next start, then route by it.

        Raises NotFound for a version that is not loaded, NotStored; nothing is changed then.
        """
        for version in filter(None, (routing.default, routing.canary)):
            self.find(name, version)
        try:
            for file in (ROUTING_COPY, ROUTING):
                write_atomically(self.folder / name / file, routing.model_dump_json() + "\n")
        except OSError as error:
            raise NotStored(
                f"The routing of {name!r} cannot be stored: {error.strerror or error}; the old one "
                "stays. Free space or allow writing, then repeat it."
            ) from error
        self.models[name].routing = routing

    async def close(self) -> None:
        """Answer what was accepted and refuse the rest."""
        self.ready = False
        versions = [v for model in self.models.values() for v in model.versions.values()]
        await asyncio.gather(*(version.batcher.close() for version in versions))


def _ended(error: Exception) -> str:
    return f"{str(error).rstrip('.')}."
