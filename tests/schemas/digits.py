"""The spec of the documentation, as data."""

from typing import Any

DIGITS: dict[str, Any] = {
    "kspec": 1,
    "name": "digits",
    "version": "1.0.0",
    "params": {"width": 16},
    "data": {
        "source": {"csv": "digits.csv"},
        "split": {"validation": 0.1, "test": 0.2, "seed": 7, "stratify": "digit"},
    },
    "inputs": {
        "pixels": {
            "image": {"height": 8, "width": 8, "channels": 1},
            "columns": "pixel_*",
            "rescale": "1/16",
        }
    },
    "outputs": {"digit": {"category": {"labels": list("0123456789")}, "column": "digit"}},
    "blocks": {
        "conv_block(filters)": [
            {"conv2d": {"filters": "${filters}", "kernel_size": 3, "padding": "same"}},
            "batch_normalization",
            "relu",
        ]
    },
    "network": [
        {"conv_block": {"filters": "${width}"}},
        {"max_pooling2d": 2},
        {"conv_block": {"filters": "${2 * width}"}, "name": "features"},
        "global_average_pooling2d",
        {"dropout": 0.2},
        {"dense": {"units": 10, "activation": "softmax"}, "name": "digit"},
    ],
    "train": {
        "epochs": 20,
        "batch_size": 64,
        "optimizer": {"adam": {"learning_rate": 0.001}},
        "early_stopping": {"monitor": "val_loss", "patience": 3},
    },
    "targets": {"ios": {"precision": "float16"}, "android": {"quantize": "int8"}, "server": {}},
    "gates": {"accuracy": ">= 0.97", "android.size": "<= 200 KB", "*.flips": "<= 0.5 %"},
}
