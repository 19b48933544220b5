"""One progress line for a Keras training."""

from __future__ import annotations

import sys
import time

import keras

WIDTH = 20
SECONDS_BETWEEN_DRAWINGS = 0.2


class ProgressLine(keras.callbacks.Callback):
    """Draw one line while a model trains and leave it, with the last results, when it is done.

    It is redrawn with a carriage return, so that JupyterLab shows it in place and an executed
    notebook keeps its last state. No seconds are printed: two runs leave the same line.
    """

    def __init__(self, label: str):
        """Name what is trained, in a few words."""
        super().__init__()
        self.label = label

    def on_train_begin(self, logs=None):
        """Draw the empty line."""
        self._drawn, self._results, self._epoch, self._length = 0.0, "", 0, 0
        self._draw(0.0)

    def on_epoch_begin(self, epoch, logs=None):
        """Remember the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Redraw, a few times a second."""
        steps = self.params.get("steps")
        now = time.monotonic()
        if steps and now - self._drawn > SECONDS_BETWEEN_DRAWINGS:
            # With steps_per_execution Keras counts the last batches up to a full execution.
            self._draw(self._epoch + min(1.0, (batch + 1) / steps))
            self._drawn = now

    def on_epoch_end(self, epoch, logs=None):
        """Redraw with the results of the epoch."""
        self._epoch = epoch + 1
        names = [n for n in ("accuracy", "loss", "val_accuracy", "val_loss") if n in (logs or {})]
        self._results = "   ".join(f"{name} {logs[name]:.4f}" for name in names)
        self._draw(self._epoch)

    def on_train_end(self, logs=None):
        """End the line; training that stopped early says so by its epoch count."""
        self._draw(self._epoch)
        sys.stdout.write("\n")
        sys.stdout.flush()

    def _draw(self, epochs_done: float) -> None:
        epochs = self.params["epochs"]
        filled = round(WIDTH * epochs_done / epochs)
        bar = "█" * filled + "░" * (WIDTH - filled)
        line = f"{self.label:<26} {bar} {int(epochs_done):>2}/{epochs} epochs   {self._results}"
        line = line.rstrip()
        # A loss that falls from 10.5 to 9.5 makes the line shorter: spaces cover the rest.
        sys.stdout.write("\r" + line.ljust(self._length))
        sys.stdout.flush()
        self._length = len(line)
