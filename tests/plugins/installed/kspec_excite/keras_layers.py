"""What Keras makes of it."""

import keras
from keras import ops


class SqueezeExcite(keras.Layer):
    def __init__(self, ratio, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        channels = input_shape[-1]
        inner = channels // self.ratio
        self.squeeze = self.add_weight((channels, inner), "glorot_uniform", name="squeeze")
        self.excite = self.add_weight((inner, channels), "glorot_uniform", name="excite")
        self.bias = self.add_weight((channels,), "zeros", name="bias")

    def call(self, inputs):
        seen = ops.mean(inputs, axis=(1, 2), keepdims=True)
        inner = ops.relu(ops.matmul(seen, self.squeeze))
        return inputs * ops.sigmoid(ops.matmul(inner, self.excite) + self.bias)
