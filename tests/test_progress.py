"""A training leaves one line: its last state, with the epochs that were run, and no seconds."""

import re

import keras
import numpy as np
import pytest

from course_utils import progress
from course_utils.progress import ProgressLine

FULL, EMPTY = "█", "░"


@pytest.fixture(autouse=True)
def draw_every_batch(monkeypatch):
    """Whatever the speed of the machine, each batch draws."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_DRAWINGS", -1.0)


def train(capsys, *more, epochs=4, steps_per_execution=1, metrics=(), **options):
    """Train a line through the origin, 4 steps an epoch; return what was written, and the logs."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=metrics, steps_per_execution=steps_per_execution)
    x, y = np.ones((64, 2)), np.full(64, 100.0)
    history = model.fit(
        x,
        y,
        epochs=epochs,
        batch_size=16,
        verbose=0,
        callbacks=[ProgressLine("tiny"), *more],
        **options,
    )
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out, history.history


def on_screen(written):
    """The line as a terminal and JupyterLab show it: a carriage return overwrites in place."""
    shown = ""
    for frame in written.rstrip("\n").split("\r"):
        shown = frame + shown[len(frame) :]
    return shown.rstrip()


def test_the_line_that_stays_shows_the_last_results(capsys):
    x, y = np.ones((8, 2)), np.full(8, 100.0)
    written, history = train(capsys, metrics=["accuracy"], validation_data=(x, y))
    last = {name: values[-1] for name, values in history.items()}
    assert on_screen(written) == (
        f"{'tiny':<26} {FULL * 20}  4/4 epochs   "
        f"accuracy {last['accuracy']:.4f}   loss {last['loss']:.4f}   "
        f"val_accuracy {last['val_accuracy']:.4f}   val_loss {last['val_loss']:.4f}"
    )


def test_a_result_with_fewer_digits_leaves_no_old_digit_behind(capsys):
    written, history = train(capsys, epochs=12)
    digits = [len(f"{loss:.4f}") for loss in history["loss"]]
    assert digits[-1] < digits[0]  # or this proves nothing
    assert on_screen(written).endswith(f"12/12 epochs   loss {history['loss'][-1]:.4f}")
    assert not written.endswith(" \n")


def test_there_is_one_newline_at_the_end(capsys):
    written, _ = train(capsys)
    assert written.count("\n") == 1
    assert written.endswith("\n")
    assert written.startswith("\r")


def test_every_drawing_holds_epochs_and_results_and_no_time(capsys):
    written, _ = train(capsys)
    bar = rf"(?=[{FULL}{EMPTY}]{{20}} ){FULL}*{EMPTY}*"
    frame = re.compile(rf"tiny {{22}} {bar}  \d/4 epochs(   loss \d+\.\d{{4}})? *")
    frames = written.rstrip("\n").split("\r")[1:]
    assert len(frames) == 1 + 4 * (4 + 1) + 1  # begin; each batch and epoch; end
    assert [f for f in frames if not frame.fullmatch(f)] == []
    assert train(capsys)[0] == written  # a second run leaves the same


@pytest.mark.parametrize("steps_per_execution", [1, 3])  # 3 does not divide the 4 steps
def test_the_bar_only_grows_and_never_passes_its_end(capsys, steps_per_execution):
    written, _ = train(capsys, epochs=3, steps_per_execution=steps_per_execution)
    frames = written.rstrip("\n").split("\r")[1:]
    bars = [(frame.count(FULL), frame.count(EMPTY)) for frame in frames]
    assert {full + empty for full, empty in bars} == {20}
    assert bars == sorted(bars, key=lambda bar: bar[0])
    assert (bars[0], bars[-1]) == ((0, 20), (20, 0))
    counts = [int(re.search(r"(\d+)/3 epochs", frame)[1]) for frame in frames]
    assert counts == sorted(counts)
    assert counts[-1] == 3


def test_training_that_stopped_early_says_after_how_many_epochs(capsys):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    written, history = train(capsys, Stop(), epochs=10)
    assert len(history["loss"]) == 2
    shown = on_screen(written)
    assert f"{FULL * 4}{EMPTY * 16}  2/10 epochs   loss {history['loss'][-1]:.4f}" in shown


def test_one_line_object_serves_several_trainings(capsys):
    line = ProgressLine("again")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    for epochs in (3, 2):
        model.fit(np.ones((4, 2)), np.ones(4), epochs=epochs, verbose=0, callbacks=[line])
        written = capsys.readouterr().out
        assert f"{EMPTY * 20}  0/{epochs} epochs\r" in written
        assert f"{FULL * 20}  {epochs}/{epochs} epochs   loss" in on_screen(written)
