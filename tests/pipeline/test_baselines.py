"""A model that does not beat a constant answer gets a warning with both numbers."""

import numpy as np
import pytest

from kspec.features.decision import Decision
from kspec.pipeline.proof.baselines import baselines, useless
from kspec.pipeline.proof.metrics import task_metrics

RNG = np.random.default_rng(3)
LABELS = RNG.choice(3, 50, p=[0.2, 0.7, 0.1]).astype("int32")
YES = (RNG.random((50, 1)) < 0.3).astype("float32")
NUMBERS = RNG.normal(5.0, 2.0, (50, 2)).astype("float32")
OUTPUTS = {
    "kind": Decision(labels=("a", "b", "c")),
    "yes": Decision.binary(("no", "yes"), "logits"),
    "size": None,
}
TRUTH = {"kind": LABELS, "yes": YES, "size": NUMBERS}


def constant(best: bool) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    """The answer that does not depend on the row, or one that is a little better."""
    kind = np.tile(np.array([0, 1, 0], "float32"), (50, 1))
    yes = np.full((50, 1), -1.0, "float32")
    size = np.tile(NUMBERS.mean(axis=0), (50, 1))
    if best:
        wrong = int(np.flatnonzero(LABELS != 1)[0])
        kind[wrong] = np.eye(3)[LABELS[wrong]]
        yes[int(np.flatnonzero(YES)[0])] = 1.0
        size += 0.2 * (NUMBERS - size)
    return {"kind": kind, "yes": yes, "size": size}


@pytest.mark.parametrize("names", [("kind",), ("yes",), ("size",), ("kind", "yes", "size")])
def test_only_what_is_no_better_is_told(names):
    outputs = {name: OUTPUTS[name] for name in names}
    truth = {name: TRUTH[name] for name in names}
    found = baselines(truth, outputs)
    metrics = task_metrics(constant(best=False), truth, outputs)
    for each in found:
        assert metrics[each.metric] == pytest.approx(each.value)
    told = list(useless(metrics, found, "test"))
    assert [(each.code, each.route) for each in told] == [("KS609", ("outputs", n)) for n in names]
    assert not list(useless(task_metrics(constant(best=True), truth, outputs), found, "test"))


def test_both_numbers_are_named():
    found = baselines({"kind": LABELS}, {"kind": OUTPUTS["kind"]})
    [warning] = useless({"accuracy": 0.25}, found, "validation")
    share = float((LABELS == 1).mean())
    assert warning.severity == "warning"
    assert warning.message == (
        f"accuracy is 0.25 on the validation rows, no better than {share:.4g}, the score of"
        " answering the label 'b' for every row"
    )
