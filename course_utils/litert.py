"""LiteRT files: what a file holds, and what it answers, one image at a time on one thread."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils import environment


class Tensor(NamedTuple):
    """A tensor of a file."""

    shape: tuple[int, ...]
    values: np.ndarray | None  # None: computed from each image
    scale: np.ndarray  # one number, one for each channel, or none if it is no byte
    zero_point: np.ndarray


class WholeLayer(NamedTuple):
    """A convolution or dense layer of a full int8 file."""

    weights: np.ndarray  # int8, outputs first
    bias: np.ndarray  # int32, in steps of scale_in · scale_weights
    scale_weights: np.ndarray  # one for each output
    scale_in: float
    zero_in: int
    scale_out: float
    zero_out: int


class LiteRTModel:
    """A LiteRT file of a network with one input and one output, ready to answer."""

    def __init__(self, content: bytes, xnnpack: bool = True):
        """Open a file, given as its bytes; `xnnpack`: whether the library XNNPACK may compute.

        Raises ValueError if the bytes are no such file.
        """
        with environment.silent_stderr():  # the interpreter announces XNNPACK there
            from ai_edge_litert.interpreter import Interpreter, OpResolverType

            kernels = OpResolverType.AUTO
            if not xnnpack:
                kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            self._interpreter = Interpreter(
                model_content=content, num_threads=1, experimental_op_resolver_type=kernels
            )
            self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the logits of images (n, 28, 28), scaled to 0 to 1, as (n, 10) float32."""
        images = _stored(images, self._input)
        found = np.empty((len(images), *self._output["shape"][1:]), self._output["dtype"])
        for i, image in enumerate(images):
            self._interpreter.set_tensor(self._input["index"], image[None])
            self._interpreter.invoke()
            found[i] = self._interpreter.get_tensor(self._output["index"])[0]
        return _restored(found, self._output)

    def invoke(self) -> None:
        """Answer the last image once more; this is what is timed."""
        self._interpreter.invoke()

    def tensors(self) -> list[Tensor]:
        """Return all tensors, in no particular order."""
        ends = {self._input["index"], self._output["index"]}
        found = []
        for each in self._interpreter.get_tensor_details():
            values = None
            if each["index"] not in ends:
                with contextlib.suppress(ValueError):  # it lives only while an image is answered
                    values = self._interpreter.get_tensor(each["index"])
            parameters = each["quantization_parameters"]
            scale, zero_point = parameters["scales"], parameters["zero_points"]
            found.append(Tensor(tuple(map(int, each["shape"])), values, scale, zero_point))
        return found

    def whole_layers(self) -> list[WholeLayer]:
        """Return the layers of a full int8 file of a `edge.digit_network`, from input to output.

        No two of its layers write the same number of channels, by which their parts are known.
        The file must have been opened with XNNPACK, which keeps activations to itself.

        Raises:
            ValueError: the file holds weights that are no bytes, or was opened without XNNPACK.
        """
        tensors = [each for each in self.tensors() if each.scale.size]
        weights = [each for each in tensors if each.values is not None and len(each.shape) > 1]
        biases = {each.shape[0]: each for each in tensors if len(each.shape) == 1}
        moving = {each.shape[-1]: each for each in tensors if each.values is None}
        if not weights or len(biases) != len(weights):
            raise ValueError("expected a file in full int8, found weights or biases that are none")
        # convolutions read ever more channels, dense layers ever fewer inputs
        weights.sort(key=lambda w: (0, w.shape[-1]) if len(w.shape) == 4 else (1, -w.shape[-1]))
        layers, last = [], self._input["quantization"]
        for each in weights:
            out = moving[each.shape[0]]
            scale_out, zero_out = float(out.scale[0]), int(out.zero_point[0])
            bias = biases[each.shape[0]].values
            scales = each.scale.astype(float)
            layers.append(WholeLayer(each.values, bias, scales, *last, scale_out, zero_out))
            last = scale_out, zero_out
        return layers


def windows(q: np.ndarray, kernel_size: int, zero_point: int) -> np.ndarray:
    """Return what a convolution with stride 2 sees, one row for each place of its window.

    Args:
        q: images of bytes, (n, side, side, channels).
        kernel_size: side of the window.
        zero_point: what stands outside of the image.

    Returns:
        Shape (n, half, half, kernel_size² · channels), in the order of LiteRT's weights.
    """
    side = q.shape[1]
    half = -(-side // 2)  # the division rounds up
    outside = max(2 * (half - 1) + kernel_size - side, 0)
    border = (outside // 2, outside - outside // 2)
    padded = np.pad(q, ((0, 0), border, border, (0, 0)), constant_values=zero_point)
    seen = np.lib.stride_tricks.sliding_window_view(padded, (kernel_size,) * 2, axis=(1, 2))
    return np.moveaxis(seen[:, ::2, ::2], 3, 5).reshape(len(q), half, half, -1)


def byte_instructions() -> str:
    """Return this processor's instructions that multiply and add bytes, as Linux names them.

    An empty text means that there are none, or that this is not Linux.
    """
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return ""
    return ", ".join(sorted(flags & {"avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"}))


def _stored(x: np.ndarray, end: dict) -> np.ndarray:
    """Return numbers as the input of a file wants them: bytes where it has a scale."""
    scale, zero_point = end["quantization"]
    if not scale:
        return np.asarray(x, np.float32)
    return np.clip(np.rint(x / scale) + zero_point, -128, 127).astype(np.int8)


def _restored(q: np.ndarray, end: dict) -> np.ndarray:
    """Return what the output of a file stands for, as float32."""
    scale, zero_point = end["quantization"]
    return (scale * (q.astype(np.float32) - zero_point)).astype(np.float32) if scale else q
