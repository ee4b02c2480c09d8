# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the SavedModels beside it, with TensorFlow 2.15.1: python make.py"""
from pathlib import Path

import tensorflow as tf

FEATURES, RADIUS, TEXTURE = 30, 0, 1


class Scores(tf.Module):
    """Of two classes the scores mean_radius and 0.75 * mean_texture, by a matrix as it is trained."""

    def __init__(self):
        super().__init__()
        weights = [[0.0, 0.0] for _ in range(FEATURES)]
        weights[RADIUS] = [1.0, 0.0]
        weights[TEXTURE] = [0.0, 0.75]
        self.weights = tf.Variable(weights)

    def __call__(self, rows):
        return tf.matmul(rows, self.weights)


class Reads(Scores):
    """As much of a file of the machine as it has of it, which no model needs."""

    def __call__(self, rows):
        length = tf.strings.length(tf.io.read_file("/etc/hostname"))
        return super().__call__(rows) + tf.cast(length, tf.float32)


class Writes(Scores):
    def __call__(self, rows):
        with tf.control_dependencies([tf.io.write_file("/var/tmp/hokusai-escaped", "x")]):
            return super().__call__(rows)


def leave(model):
    rows = tf.TensorSpec([None, FEATURES], tf.float32, "rows")
    serve = tf.function(lambda rows: {"scores": model(rows)}).get_concrete_function(rows)
    model.serve = serve
    tf.saved_model.save(model, Path(__file__).parent / type(model).__name__.lower(), signatures=serve)


for model in [Scores(), Reads(), Writes()]:
    leave(model)
