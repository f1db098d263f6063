"""A bad spec for every code of the families KS1 to KS4."""

from dataclasses import dataclass, field

SOUND = {
    "kspec": "kspec: 1",
    "name": "name: model",
    "params": "",
    "data": "",
    "inputs": "inputs: {x: {number: 4}}",
    "outputs": "outputs: {y: {number: 1}}",
    "blocks": "",
    "network": "network:\n  - dense: 1\n    name: y",
    "train": "",
    "targets": "",
}


def spec(**sections: str) -> str:
    """A sound spec with some sections replaced."""
    return "\n".join(text for text in (SOUND | sections).values() if text) + "\n"


def network(*steps: str) -> str:
    """A section `network` of steps that may go over several lines."""
    lines = [line.replace("\n", "\n    ") for line in steps]
    return "network:\n" + "\n".join(f"  - {line}" for line in lines)


Y = "dense: 1\nname: y"
TWO = "inputs: {a: {number: 4}, b: {number: 4}}"


@dataclass(frozen=True)
class Bad:
    """What is given to the loader."""

    text: str | bytes
    overrides: dict[str, str] = field(default_factory=dict)
    python: str = ""
    """What `layers.py` beside it holds; then it is allowed."""

    @property
    def data(self) -> bytes:
        return self.text if isinstance(self.text, bytes) else self.text.encode()


BAD: dict[str, Bad] = {
    "KS101": Bad(spec(train="train: {epochs: 20")),
    "KS102": Bad(b"kspec: 1\nname: caf\xe9\n"),
    "KS103": Bad(spec(name='name: "mo\u202edel"')),
    "KS104": Bad(spec(train="train:\n\tepochs: 20")),
    "KS105": Bad(spec(train="train: " + "[" * 101)),
    "KS106": Bad(spec(network=network("dense: &hidden {units: 64}", "dense: *hidden"))),
    "KS107": Bad(spec(name="name: !!python/name:os.system x")),
    "KS108": Bad(spec() + "---\nkspec: 1\n"),
    "KS109": Bad(spec(train="train:\n  epochs: 20\n  epochs: 30")),
    "KS110": Bad(spec(train="? [train, epochs]\n: 3")),
    "KS111": Bad("- kspec: 1\n"),
    "KS112": Bad(spec(train="train: {epochs: 012, deterministic: no}\ndescription: 1:30")),
    "KS113": Bad(spec(train="train: {epochs: 99999999999999999999}")),
    "KS114": Bad(spec(params="params: {w: 1}", network=network("dense: {units: ${w}}"))),
    "KS201": Bad(spec(train="train: {epochs: 20, batchsize: 64}")),
    "KS202": Bad(spec(train="train: {batch_size: 64}")),
    "KS203": Bad(spec(train='train: {epochs: "20"}', name="name: 3")),
    "KS204": Bad(spec(inputs="inputs: {x: {tensor: {shape: [4], dtype: int64}}}")),
    "KS205": Bad(spec(train="train: {epochs: 0}")),
    "KS206": Bad(spec(outputs="outputs: {y: {category: {labels: [cat]}}}")),
    "KS207": Bad(spec(name="name: 2nd model", kspec="kspec: 1\nversion: v1")),
    "KS208": Bad(spec(data="data: {source: {csv: a.csv, parquet: a.parquet}}")),
    "KS209": Bad(spec(data="data: {source: {csv: rows.csv}, split: {validation: 0.5, test: 0.5}}")),
    "KS210": Bad(spec(data="data: {source: {csv: ../rows.csv}}")),
    "KS211": Bad(spec(data="data: {source: {csv: row.csv}}")),
    "KS212": Bad(spec(targets="targets: {andriod: {}}")),
    "KS221": Bad(
        spec(
            inputs="inputs:\n  x: {number: 4}\n  island: {category: [Biscoe, Dream]}\n"
            "  said: {text: {}, columns: words}",
            network="network:\n  - concatenate: {}\n    from: [x, island, said]\n"
            "  - dense: 1\n    name: y",
        )
    ),
    "KS301": Bad(spec(params="params: {w: 1}", network=network('dense: "${2 * }"\nname: y'))),
    "KS302": Bad(spec(params="params: {width: 1}", network=network("dense: ${widht}\nname: y"))),
    "KS303": Bad(spec(params="params: {w: 9}", network=network("dense: ${w ** w ** w}\nname: y"))),
    "KS305": Bad(
        spec(params="params: {width: 1}", network=network("dense: ${width}\nname: y")),
        {"params.widht": "2", "network.1.dense": "3"},
    ),
    "KS306": Bad(spec(), {"train.deterministic": "no", "network.0.dense": "[1"}),
    "KS307": Bad(spec(blocks="blocks:\n  conv_block[filters]: [relu]\n  relu: [flatten]")),
    "KS308": Bad(
        spec(
            blocks="blocks:\n  head(units):\n    - dense: ${units}",
            network=network("head: {unit: 1}\nname: y"),
        )
    ),
    "KS309": Bad(
        spec(
            blocks="blocks:\n  one:\n    - two\n  two:\n    - one",
            network=network("one", Y),
        )
    ),
    "KS310": Bad(
        spec(
            blocks="blocks:\n  many:\n    - relu:\n      repeat: 1000",
            network=network("many:\nrepeat: 1000", Y),
        )
    ),
    "KS311": Bad(spec(network=network("dense:\nunits: 1\nname: y", "{name: z}"))),
    "KS312": Bad(spec(network=network("dens: {units: 10}", Y))),
    "KS314": Bad(spec(network=network("relu:\nrepeat: 0", Y))),
    "KS316": Bad(
        spec(
            params="params: {width: 16}",
            blocks="blocks:\n  tail: [relu]\n  head(units):\n    - dense: 1",
            network=network("head: {units: 1}\nname: y"),
        )
    ),
    "KS401": Bad(spec(network=network("dense: 4\nname: stem", "dense: 1\nname: y\nfrom: stme"))),
    "KS402": Bad(
        spec(network=network("dense: 4\nname: a", "dense: 4\nname: a", "relu:\nname: x", Y))
    ),
    "KS403": Bad(spec(network=network("dense: 1"))),
    "KS404": Bad(spec(inputs=TWO, network=network("dense: 1\nname: y\nfrom: a"))),
    "KS405": Bad(spec(network=network("dense: 4\nname: side", "dense: 1\nname: y\nfrom: x"))),
    "KS406": Bad(
        spec(
            inputs="inputs: {x: {image: {height: 4, width: 4, channels: 1}}}",
            blocks="blocks:\n  stem(kernel):\n"
            '    - conv2d: {filters: 8, kernel_size: "${kernel}"}\n    - flatten',
            network=network("stem: {kernel: 3}", "stem: {kernel: 5}\nfrom: x", Y),
        )
    ),
    "KS407": Bad(spec(inputs=TWO, network=network("dense: 1\nname: y\nfrom: [a, b]"))),
    "KS408": Bad(
        spec(
            outputs="outputs: {y: {category: {labels: [cat, dog, cow]}}}",
            network=network("dense: 10\nname: y"),
        )
    ),
    "KS409": Bad(spec(inputs=TWO, network=network("concatenate", Y))),
    "KS410": Bad(spec(params="python: layers.py")),
    "KS411": Bad(spec(params="python: layers.py"), python="class Scale:\n    key = 'scale'\n"),
    "KS412": Bad(spec(network=network("dense: 4\nname: deep\nrepeat: 2", "use: deep", Y))),
    "KS430": Bad(
        spec(
            inputs="inputs: {x: {tensor: {shape: [4], dtype: int32}}}",
            network=network("softmax", Y),
        )
    ),
    "KS431": Bad(
        spec(
            inputs="inputs: {x: {image: {height: 1000000000, width: 1000000000}}}",
            network=network("flatten", Y),
        )
    ),
    "KS432": Bad(spec(network=network("dense: 2000000000", Y))),
    "KS433": Bad(spec(network=network("dense: 30000\nrepeat: 9", Y))),
    "KS434": Bad(
        spec(
            inputs="inputs: {x: {tensor: [40000, 40000]}}",
            network=network("relu:\nrepeat: 12", "flatten", Y),
        )
    ),
    "KS435": Bad(
        spec(
            inputs="inputs: {x: {image: {height: 64, width: 64}}}",
            network=network("flatten", Y),
            train="train: {epochs: 1, batch_size: 2000000000}",
        )
    ),
}
"""By code. `rows.csv` lies beside each; the only target known is `android`."""

MANY = """\
kspec: 2
name: [a]
params: {a: [1], "b c": 3, d: null}
data:
  source: 5
  split: {column: a, test: 0.1}
inputs:
  x: {number: -1, rescale: abc, offset: .inf}
  z: {image: {height: 3}, normalize: 3}
  w: 5
  v: {columns: [1]}
  u: {tensor: {shape: [1, 2.5, []], dtype: int64}}
outputs:
  y: {category: {labels: [a, a]}}
  k: {binary: {labels: [a, b, c]}}
network:
  - conv2d: {filters: 0, kernel_size: [3, 3, 3], padding: 3}
  - conv2d: [1, 2]
  - dense: {units: 3, kernel_regularizer: {l3: 1}, kernel_initializer: {constant: {value: x}}}
  - dense: {units: 3, use_bias: nope, activation: {relu: 1}}
  - batch_normalization: {axis: 1.5, momentum: 3}
  - reshape: 3
  - dropout
  - flatten: {a: 1}
train:
  epochs: 20
  optimizer: {adam: {learning_rate: -1}, sgd: {}}
  loss: {y: foo}
  metrics: 3
  early_stopping: {monitor: 3, patience: a}
  class_weight: 3
targets: [a]
gates: {accuracy: high}
"""
"""One mistake of every kind that the models find, and more."""

WARNED: dict[str, Bad] = {
    "KS220": Bad(spec(inputs="inputs: {x: {numeric: 4}}")),
}
"""A sound spec for every code that only warns."""
