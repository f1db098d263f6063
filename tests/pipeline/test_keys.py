"""What a stage reads is in its key, and nothing else."""

from pathlib import Path

import pytest

from kspec.pipeline.store.keys import Keys
from kspec.spec import load

SPEC = """\
kspec: 1
name: keyed
inputs: {{x: {{tensor: [4, 3]}}}}
outputs: {{y: {{number: 1}}}}
network:
  - bidirectional: {{layer: {{lstm: {units}}}}}
  - {activation}
  - dense: 1
    name: y
{weights}
"""
SOUND = {"units": "5", "activation": "relu", "weights": "weights: start.safetensors"}


def keys(folder: Path, content: bytes = b"some", **changes: str) -> Keys:
    (folder / "start.safetensors").write_bytes(content)
    path = folder / "model.yaml"
    path.write_text(SPEC.format(**SOUND | changes))
    return Keys(load(path))


@pytest.mark.parametrize(
    ("changes", "in_plan"),
    [
        ({"units": "6"}, True),
        ({"activation": "elu"}, True),
        ({"content": b"other"}, False),
        ({"weights": ""}, False),
    ],
    ids=str,
)
def test_every_change_of_the_network_and_its_weights_trains_again(
    changes: dict[str, str], in_plan: bool, tmp_path: Path
) -> None:
    before, after = keys(tmp_path), None
    digests = (before.plan.digest, before.train.digest)
    after = keys(tmp_path, **changes)
    assert after.train.digest != digests[1]
    assert (after.plan.digest != digests[0]) is in_plan
