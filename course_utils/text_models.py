"""A small causal Transformer: made, trained, judged and sampled as lesson 13 teaches it.

`tests/lessons/test_lesson_13.py` proves that the functions that the lesson writes out equal these.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops


class CausalAttention(layers.Layer):
    """Each token takes a weighted mean of what it and the tokens before it hand over."""

    def __init__(self, width: int, num_heads: int):
        """Make the layer that computes queries, keys and values, and the one that joins heads."""
        super().__init__()
        self.num_heads, self.head_width = num_heads, width // num_heads
        self.to_qkv, self.join = layers.Dense(3 * width), layers.Dense(width)

    def call(self, x):
        """Return an array of the shape of x, (B, S, width)."""
        length = ops.shape(x)[1]
        qkv = ops.reshape(self.to_qkv(x), (-1, length, 3, self.num_heads, self.head_width))
        query, key, value = ops.unstack(ops.transpose(qkv, (2, 0, 3, 1, 4)))  # (B, h, S, d_h)
        scores = query @ ops.swapaxes(key, 2, 3) / np.sqrt(self.head_width)  # (B, h, S, S)
        later = ops.triu(ops.ones((length, length)), k=1)  # 1 where the key comes after the query
        mixed = ops.softmax(scores - 1e9 * later) @ value
        return self.join(ops.reshape(ops.swapaxes(mixed, 1, 2), ops.shape(x)))


class Embed(layers.Layer):
    """A vector for each token, plus a vector for its place."""

    def __init__(self, vocabulary_size: int, sequence_length: int, width: int):
        """Make the two tables."""
        super().__init__()
        self.token = layers.Embedding(vocabulary_size, width)
        self.place = layers.Embedding(sequence_length, width)

    def call(self, tokens):
        """Return an array of shape (B, S, width)."""
        return self.token(tokens) + self.place(ops.arange(ops.shape(tokens)[1]))


def transformer(vocabulary_size, sequence_length, width, num_layers, num_heads, dropout=0.0):
    """A causal language model: tokens, shape (B, S), to logits of the next one, (B, S, V)."""
    tokens = keras.Input((None,), dtype="int32")
    x = Embed(vocabulary_size, sequence_length, width)(tokens)
    for _ in range(num_layers):
        attended = CausalAttention(width, num_heads)(layers.LayerNormalization()(x))
        x = x + layers.Dropout(dropout)(attended)
        hidden = layers.Dense(4 * width, "relu")(layers.LayerNormalization()(x))
        x = x + layers.Dropout(dropout)(layers.Dense(width)(hidden))
    return keras.Model(tokens, layers.Dense(vocabulary_size)(layers.LayerNormalization()(x)))


def encode(items, symbols):
    """Numbers of the items (characters, or notes) in the list of symbols, shape (n,)."""
    number = {symbol: i for i, symbol in enumerate(symbols)}
    return np.array([number[item] for item in items], dtype=np.int32)


def pieces(tokens, length, number, rng, every=1):
    """Random pieces of the text, shape (number, length + 1); each starts at a multiple of every."""
    starts = every * rng.integers((len(tokens) - length - 1) // every + 1, size=number)
    return tokens[starts[:, None] + np.arange(length + 1)]


def train(model, examples, batch_size, learning_rate, callbacks=()):
    """One pass over the pieces; the rate rises for a tenth of the steps, then falls to zero."""
    steps = len(examples) // batch_size
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 10, warmup_target=learning_rate, warmup_steps=steps // 10
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss)
    x, y = examples[:, :-1], examples[:, 1:]
    model.fit(x, y, batch_size, verbose=0, shuffle=False, callbacks=list(callbacks))


def bits(model, tokens, length, step):
    """Bits of each token after the first, as far as whole windows reach.

    A window of `length` tokens starts every `step` tokens. Only its last `step` answers count (of
    the first window all), so that each token is predicted from at least length - step + 1 others.
    """
    starts, parts = np.arange(0, len(tokens) - length, step), []
    windows = tokens[starts[:, None] + np.arange(length + 1)]
    for batch in np.split(windows, range(64, len(windows), 64)):
        logits = model.predict_on_batch(batch[:, :-1])
        largest = logits.max(axis=-1)
        total = largest + np.log(np.exp(logits - largest[..., None]).sum(axis=-1))
        right = np.take_along_axis(logits, batch[:, 1:, None], axis=-1)[..., 0]
        parts.append((total - right) / np.log(2))
    each = np.concatenate(parts)
    return np.concatenate([each[0, : length - step], each[:, length - step :].ravel()])


def probabilities(logits, temperature=1.0, top_k=None):
    """Softmax of logits / temperature; with top_k, only the k largest keep a probability."""
    z = np.asarray(logits, dtype=float) / temperature
    if top_k is not None:
        z = np.where(z >= np.sort(z, axis=-1)[..., -top_k, None], z, -np.inf)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def write(model, start, number, length, rng, choose=probabilities):
    """Continue each row of start, shape (rows, t), by so many tokens drawn one after another.

    length: the context window; choose: maps logits, shape (rows, V), to probabilities.
    """
    text = np.array(start)
    for _ in range(number):
        seen = text[:, -length:]
        padded = np.pad(seen, ((0, 0), (0, length - seen.shape[1])))
        p = choose(model.predict_on_batch(padded)[:, seen.shape[1] - 1])
        drawn = (p.cumsum(axis=-1) > rng.random((len(text), 1))).argmax(axis=-1)
        text = np.concatenate([text, drawn[:, None]], axis=1)
    return text
