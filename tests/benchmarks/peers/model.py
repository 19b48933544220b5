"""What every peer calls: the Keras model in the file MODEL, compiled for any number of images."""

import os

import keras
import numpy as np
import tensorflow as tf

model = keras.models.load_model(os.environ["MODEL"], compile=False)
function = tf.function(
    lambda x: model(x, training=False),
    input_signature=[tf.TensorSpec((None, 28, 28), tf.float32)],
).get_concrete_function()


def predict(x: np.ndarray) -> np.ndarray:
    """Return the probabilities of images, (n, 28, 28) float32 to (n, 10)."""
    return function(tf.constant(x)).numpy()


predict(np.zeros((64, 28, 28), np.float32))
