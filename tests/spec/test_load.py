"""From text to Document: blocks, names, wiring, overrides, and all problems at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from kspec.schemas.base import Model
from kspec.spec import Diagnostic, Document, KspecError, load, parse
from tests.spec.bad_specs import BAD, TWO, Y, network, spec


def parsed(text: str, **overrides: str) -> Document:
    return parse(text.encode(), Path("model.yaml"), overrides=overrides)


def wiring(document: Document) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(step.name, step.layer.key, step.inputs) for step in document.steps]


RESIDUAL = """
blocks:
  residual(units, activation=relu):
    - dense: ${units}
      name: first
    - "${activation}"
    - dense: "${units}"
    - add
      from: [input, dense]
  tower(units):
    - residual: {units: "${units}"}
      repeat: 2
    - residual: {units: "${units}", activation: tanh}
      name: last
"""


def test_blocks_call_blocks_and_names_say_where_steps_stand():
    text = spec(
        params="params: {width: 4}",
        blocks=RESIDUAL.strip().replace("- add\n", "- add:\n"),
        network=network('tower: {units: "${width}"}\nname: body', "dense: 1\nname: y\nfrom: body"),
    )
    document = parsed(text)
    names = [step.name for step in document.steps]
    assert names == [
        *(f"body/residual/{each}" for each in ("first", "relu", "dense", "add")),
        *(f"body/residual_2/{each}" for each in ("first", "relu", "dense", "add")),
        *(f"body/last/{each}" for each in ("first", "tanh", "dense", "add")),
        "y",
    ]
    steps = {step.name: step for step in document.steps}
    assert steps["body/residual/first"].inputs == ("x",)
    assert steps["body/residual/add"].inputs == ("x", "body/residual/dense")
    assert steps["body/residual_2/first"].inputs == ("body/residual/add",)
    assert steps["body/last/add"].inputs == ("body/residual_2/add", "body/last/dense")
    assert steps["y"].inputs == ("body/last/add",)
    deep = steps["body/last/first"]
    assert deep.route == ("blocks", "residual(units, activation=relu)", 0, "dense")
    assert deep.calls == (("network", 0, "tower"), ("blocks", "tower(units)", 1, "residual"))
    assert text.split("\n")[document.span(deep.route).line - 1].strip() == "- dense: ${units}"


def test_names_are_readable_and_unique():
    steps = ("dense: 4", "relu", "dense: 4\nname: dense_2", "dense: 4\nrepeat: 2", Y)
    document = parsed(spec(network=network(*steps)))
    assert wiring(document) == [
        ("dense", "dense", ("x",)),
        ("relu", "relu", ("dense",)),
        ("dense_2", "dense", ("relu",)),
        ("dense_3", "dense", ("dense_2",)),
        ("dense_4", "dense", ("dense_3",)),
        ("y", "dense", ("dense_4",)),
    ]


def test_an_output_may_be_a_call_or_a_repeat():
    document = parsed(
        spec(
            outputs="outputs: {y: {number: 1}, z: {number: 1}}",
            blocks="blocks:\n  head: [relu, {dense: 1}]",
            network=network("head:\nname: y", "dense: 1\nname: z\nrepeat: 2\nfrom: y/relu"),
        )
    )
    assert wiring(document) == [
        ("y/relu", "relu", ("x",)),
        ("y", "dense", ("y/relu",)),
        ("z_1", "dense", ("y/relu",)),
        ("z", "dense", ("z_1",)),
    ]


def test_inputs_join():
    steps = ("concatenate:\nfrom: [a, b]", "dense: 4", "concatenate:\nfrom: [a, dense]", Y)
    document = parsed(spec(inputs=TWO, network=network(*steps)))
    assert [step.inputs for step in document.steps[:3]] == [
        ("a", "b"),
        ("concatenate",),
        ("a", "dense"),
    ]


def test_the_digest_is_of_the_content():
    text = spec(params="params: {width: 3}", network=network('dense: "${width}"', Y))
    digest = parsed(text).digest
    same = "# a comment\n" + text.replace("{width: 3}", "{ width:  3 }").replace(
        "${width}", "${ 1 + 2 }"
    )
    same = same.replace("params: { width:  3 }\n", "")
    assert parsed(same).digest == digest
    assert parsed(text, **{"params.width": "4"}).digest != digest
    assert parsed(text.replace("name: model", "name: other")).digest != digest


def test_overrides_are_read_as_the_file_is():
    text = spec(
        params="params: {width: 3}",
        network=network('dense: {units: "${width}"}', Y),
        train="train: {epochs: 2}\ngates: {android.size: '<= 1 KB'}",
        targets="targets: {android: }",
    )
    document = parsed(
        text,
        **{
            "params.width": "1e1",
            "train.batch_size": "8",
            "network.0.dense.activation": "relu",
            "inputs.x.rescale": "1/4",
            "gates.android.size": "<= 2 KB",
            "targets.android.quantize": "int8",
            "description": '"12"',
        }
        | {"params.width": "5"},
    )
    assert document.steps[0].layer.units == 5
    assert document.steps[0].layer.activation is not None
    assert document.spec.train.batch_size == 8
    assert document.spec.inputs["x"].rescale == 0.25
    assert document.spec.gates["android.size"].text == "<= 2 KB"
    assert document.spec.targets["android"] == {"quantize": "int8"}
    assert document.spec.description == "12"
    assert document.span(("train", "batch_size")).file == "--set"


def test_all_problems_of_a_file_are_told_at_once():
    text = spec(
        name="name: 1st",
        params="params: {width: 4}",
        inputs="inputs: {x: {number: 4, colums: x}}",
        network=network(
            'dense: "${widht}"',
            "dens: 3",
            "dense: {units: 4, activaton: relu}",
            "dense: 2\nname: y",
        ),
        train='train: {epochs: "3", batch_size: 0}',
    )
    with pytest.raises(KspecError) as caught:
        parsed(text)
    found = [(each.code, each.span.line) for each in caught.value.diagnostics]
    assert found == [
        ("KS207", 2),
        ("KS201", 4),
        ("KS302", 7),
        ("KS312", 8),
        ("KS201", 9),
        ("KS203", 12),
        ("KS205", 12),
    ]


def test_what_an_error_hides_is_not_told_as_another():
    text = spec(
        params="params: {a: '${b}', c: '${2 * a}'}",
        network=network('dense: "${c}"', "nothing", "dense: ${a}\nname: y"),
    )
    with pytest.raises(KspecError) as caught:
        parsed(text)
    assert [each.code for each in caught.value.diagnostics] == ["KS302", "KS312"]


class Options(Model):
    """Options of a target."""

    precision: float = 1.0
    """A number."""


def test_targets_are_judged_by_their_models():
    text = spec(targets="targets:\n  ios: {precison: 2}\n  tpu: {}\n  mac:\n")
    with pytest.raises(KspecError) as caught:
        parse(text.encode(), Path("m.yaml"), targets={"ios": Options, "mac": Options})
    assert [(each.code, each.span.line, each.help) for each in caught.value.diagnostics] == [
        ("KS201", 9, "did you mean `precision`?"),
        ("KS212", 10, "known here: `ios`, `mac`"),
    ]


def test_growth_is_bounded():
    doubling = "\n".join(
        f'  b{n}(t):\n    - b{n + 1}: {{t: "${{t}}${{t}}"}}\n    - b{n + 1}: {{t: "${{t}}"}}'
        for n in range(40)
    )
    text = spec(
        blocks=f"blocks:\n{doubling}\n  b40(t):\n    - relu:",
        network=network("b0: {t: xx}", Y),
    )
    with pytest.raises(KspecError) as caught:
        parsed(text)
    assert {each.code for each in caught.value.diagnostics} <= {"KS303", "KS310"}


def test_a_sound_spec_needs_no_heavy_package(tmp_path):
    (tmp_path / "good.yaml").write_text(spec())
    (tmp_path / "bad.yaml").write_text(BAD["KS406"].text)
    script = (
        "import sys, kspec.spec as s\n"
        "s.load(sys.argv[1])\n"
        "try: s.load(sys.argv[2])\n"
        "except s.KspecError as error: print(s.render(error))\n"
        "heavy = {'numpy', 'tensorflow', 'keras', 'onnx', 'coremltools'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    command = [sys.executable, "-c", script, tmp_path / "good.yaml", tmp_path / "bad.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "KS406" in done.stdout


@pytest.mark.parametrize(
    ("section", "key", "written"),
    [
        ("train: {epochs: 1, learning_rate: 0.1}", "learning_rate", "optimizer: {adam: {KEY: …}}"),
        ("train: {epochs: 1, patience: 3}", "patience", "early_stopping: {KEY: …}"),
        ("train: {epochs: 1, sgd: {}}", "sgd", "optimizer: {KEY: …}"),
        ("train: {epochs: 1, factor: 0.5}", "factor", "reduce_lr_on_plateau: {KEY: …}"),
        ("data: {source: {csv: a.csv}, stratify: y}", "stratify", "split: {KEY: …}"),
        ("epochs: 3", "epochs", "train: {KEY: …}"),
        ("inputs: {x: {number: 4, height: 3}}", "height", "image: {KEY: …}"),
        ("outputs: {y: {number: 1, labels: [a, b]}}", "labels", "category: {KEY: …}"),
        ("train: {epochs: 1, batchsize: 3}", "batchsize", None),
        ("train: {epochs: 1, banana: 3}", "banana", None),
    ],
)
def test_a_key_of_another_level_is_told_where_it_belongs(tmp_path, section, key, written):
    name = section.partition(":")[0]
    (tmp_path / "model.yaml").write_text(spec(**{name: section}))
    with pytest.raises(KspecError) as caught:
        load(tmp_path / "model.yaml")
    (problem,) = [each for each in caught.value.diagnostics if each.code == "KS201"]
    assert problem.message == f"unknown key `{key}`"
    if written is None:
        assert not problem.help.startswith("it is written")
    else:
        assert problem.help == f"it is written `{written.replace('KEY', key)}`"


PARAMS = """\
kspec: 1
name: m
params: {width: abc, small: 0, same: "${small}", half: 3}
inputs: {x: {number: 4}}
outputs: {y: {number: 1}}
blocks:
  tail(units):
    - dense: "${units}"
network:
  - dense: "${width}"
  - dense: {units: "${ width }"}
  - tail: {units: "${same}"}
  - tail: {units: 0}
  - dense: "${half/2}"
  - dense: 1
    name: y
"""


def test_a_wrong_param_is_placed_where_it_is_written():
    """At its value, with every use, as an argument of a block is; arithmetic is placed itself."""
    found = [
        (
            (each.span.line, each.span.column),
            [(use.line, use.column) for use in each.uses],
            [call.line for call in each.call_spans],
        )
        for each in refused(PARAMS)
    ]
    assert found == [
        ((3, 17), [(10, 12), (11, 20)], []),
        ((3, 29), [(8, 14)], [12]),
        ((13, 19), [(8, 14)], [13]),
        ((14, 12), [], []),
    ]
    (overridden,) = [e for e in refused(PARAMS, **{"params.width": "abd"}) if "abd" in e.message]
    assert (overridden.span.file, len(overridden.uses)) == ("--set", 2)


def refused(text: str, **overrides: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(KspecError) as caught:
        parsed(text, **overrides)
    return caught.value.diagnostics
