"""A web service around one model: TensorFlow Serving's REST API and the Open Inference Protocol.

`model.py` is generated for the model; every other file is the same for all models.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # versions from 1.29 on send telemetry
