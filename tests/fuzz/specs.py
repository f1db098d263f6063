"""Sound specs that use most of the language, with small data for each."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.pipeline import tiny

EXAMPLES = Path(__file__).parents[2] / "examples"
HEADER = [*(f"a_{index}" for index in range(4)), "b", "kind", "yes", "size", "part"]

TRAINED = """\
kspec: 1
name: trained
version: 2.0.1
description: Several outputs, each with its loss.
params: {width: 8, rate: 0.01, act: relu}
data:
  source: {csv: [rows.csv]}
  split: {column: part}
inputs:
  a: {number: {size: 4}, columns: ["a_*"], normalize: true}
  b: {number: 1, rescale: 1/10, offset: -0.5}
outputs:
  kind: {category: {labels: [x, y, z]}, column: kind}
  "yes": {binary: {labels: ["0", "1"]}, column: "yes"}
  size: {number: {size: 1}, columns: [size]}
blocks:
  head(units, act=linear):
    - dense: {units: "${units}", activation: "${act}", kernel_initializer: he_normal}
    - dropout: {rate: 0.25, seed: 3}
    - dense: {units: "${units // 2 + 1}", kernel_regularizer: {l2: 0.001}}
network:
  - dense: {units: "${2 * width}", activation: "${act}"}
    name: first
    from: a
  - concatenate: {axis: -1}
    name: both
    from: [first, b]
  - head: {units: "${width}", act: tanh}
    name: deep
    repeat: 2
  - dense: {units: 3, activation: softmax}
    name: kind
  - dense: {units: 1, activation: sigmoid, kernel_constraint: {max_norm: 2.0}}
    name: "yes"
    from: both
  - dense: 1
    name: size
    from: both
train:
  epochs: 4
  batch_size: 8
  seed: 3
  optimizer:
    sgd:
      learning_rate:
        exponential_decay: {initial_learning_rate: "${rate}", decay_steps: 10, decay_rate: 0.9}
      momentum: 0.9
      nesterov: true
      clipnorm: 1.0
  loss: {"yes": {binary_focal_crossentropy: {gamma: 1.0}}, size: {huber: {delta: 2.0}}}
  loss_weights: {size: 0.5, kind: 2}
  metrics: {"yes": [accuracy, auc], kind: [accuracy, top_5_accuracy], size: [r2_score]}
  early_stopping: {monitor: val_yes_auc, patience: 2, mode: max, min_delta: 0.001}
targets:
  server: {}
  onnx: {}
gates:
  kind_accuracy: ">= 0.2"
  "*.flips": "<= 5 %"
  onnx.size: "<= 100 KB"
"""
WEIGHED = """\
kspec: 1
name: weighed
data:
  source: {csv: rows.csv}
  split: {validation: 0.25, test: 0.25, seed: 1, stratify: kind}
inputs:
  a: {number: 4, columns: [a_0, a_1, a_2, a_3]}
outputs:
  kind: {category: [x, y, z]}
network:
  - batch_normalization: {momentum: 0.9, epsilon: 0.01}
  - gaussian_noise: 0.1
  - dense: {units: 6, use_bias: false}
    name: shared
  - leaky_relu: {negative_slope: 0.2}
  - layer_normalization
  - dense: {units: 4, activation: gelu}
    name: narrow
  - add:
    from: [narrow, a]
  - use: shared
  - dense: {units: 3, activation: softmax}
    name: kind
train:
  epochs: 2
  optimizer: {rmsprop: {learning_rate: 0.05, momentum: 0.5, rho: 0.8}}
  reduce_lr_on_plateau: {patience: 1, factor: 0.5, cooldown: 1, min_lr: 0.0001}
  class_weight: {x: 2.0, y: 0.5}
  metrics: {kind: [accuracy]}
  deterministic: false
targets: {onnx: {}}
gates: {accuracy: ">= 0.1"}
"""
RECURRENT = """\
kspec: 1
name: recurrent
params: {width: 6, words: 50}
inputs:
  words: {tensor: {shape: [12], dtype: int32}}
  sound: {tensor: {shape: [20, 5]}}
  face: {image: {height: 16, width: 16, channels: 3}, rescale: 1/255}
outputs:
  topic: {category: {labels: [a, b]}}
  tone: {tensor: [8]}
blocks:
  reader(units):
    - lstm: {units: "${units}", return_sequences: true}
    - gru: {units: "${units * 2}", reset_after: true}
network:
  - embedding: {input_dim: "${words}", output_dim: "${width}"}
    from: words
  - bidirectional: {layer: {lstm: {units: 4, return_sequences: true}}, merge_mode: concat}
  - reader: {units: "${width}"}
    name: read
  - conv1d: {filters: 4, kernel_size: 3, padding: causal, dilation_rate: 2}
    from: sound
  - simple_rnn: {units: 3, activation: tanh}
    name: heard
  - conv2d: {filters: 4, kernel_size: [3, 3], strides: 2, padding: same}
    from: face
  - depthwise_conv2d: {kernel_size: 3, depth_multiplier: 2}
  - max_pooling2d: {pool_size: 2}
  - reshape: {target_shape: [-1, 8]}
    name: patches
  - multi_head_attention: {num_heads: 2, key_dim: 4}
    name: attended
    from: [patches, patches]
  - global_average_pooling1d:
    name: seen
  - concatenate:
    name: all
    from: [read, heard, seen]
  - dense: {units: 2, activation: softmax}
    name: topic
  - dense: 8
    name: tone
    from: all
targets:
  onnx: {}
  ios: {}
  raspberry_pi: {}
"""


def _example(name: str) -> str:
    return (EXAMPLES / name / "model.yaml").read_text(encoding="utf-8")


SPECS: Mapping[str, str] = {
    "digits": _example("digits"),
    "breast-cancer": _example("breast-cancer"),
    "tiny": tiny.SPEC,
    "trained": TRAINED,
    "weighed": WEIGHED,
    "recurrent": RECURRENT,
}


def write_data(folder: Path) -> None:
    """Write the rows of a spec into the folder that is named after it."""
    tiny.write(folder)
    for example in EXAMPLES.glob(f"{folder.name}/*.csv"):
        shutil.copy(example, folder)
    rows = [
        [*(f"{(number * index) % 7}" for index in range(1, 6)),
         "xyz"[number % 3], str(number % 2), str(number / 4),
         ("train", "train", "validation", "test")[number % 4]]
        for number in range(48)
    ]  # fmt: skip
    text = "\n".join(",".join(row) for row in [HEADER, *rows])
    (folder / "rows.csv").write_text(text + "\n", encoding="utf-8")
