"""KS4xx · wiring and shapes of the network."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS401",
        title="an unknown name in `from`",
        explanation=(
            "`from` names inputs and earlier steps. Inside a block it names steps of the\n"
            "block, or `input`, the input of the call."
        ),
        wrong=("- add\n  from: [stem, brnch]"),
        right=("- add\n  from: [stem, branch]"),
    ),
    Rule(
        code="KS402",
        title="a name that is given twice",
        explanation=(
            "Names of steps are unique, and differ from the names of inputs: `from` and\n"
            "outputs find steps by name."
        ),
        wrong=("- dense: 10\n  name: a\n- relu\n  name: a"),
        right=("- dense: 10\n  name: a\n- relu\n  name: b"),
    ),
    Rule(
        code="KS403",
        title="an output without a step",
        explanation="Every output is the result of the step with its name.",
        wrong=("outputs: {digit: {number: 1}}\nnetwork:\n  - dense: 1"),
        right=("outputs: {digit: {number: 1}}\nnetwork:\n  - dense: 1\n    name: digit"),
    ),
    Rule(
        code="KS404",
        title="an input that nothing uses",
        explanation=(
            "No output depends on the input, so the artifacts would ask for data that\nthey ignore."
        ),
        wrong=("inputs: {a: {number: 3}, b: {number: 3}}\nnetwork:\n  - dense: 1\n    from: a"),
        right=("inputs: {a: {number: 3}}\nnetwork:\n  - dense: 1\n    from: a"),
    ),
    Rule(
        code="KS405",
        title="a step that nothing uses",
        explanation=(
            "No output depends on the step: it would not be trained, and no artifact would\n"
            "contain it."
        ),
        wrong=("- dense: 8\n  name: side\n- dense: 1\n  name: price\n  from: size"),
        right=("- dense: 8\n  name: side\n- dense: 1\n  name: price\n  from: side"),
    ),
    Rule(
        code="KS406",
        title="shapes that do not fit",
        explanation=(
            "The layer cannot take its input, or its arguments make its output empty.\n"
            "Shapes are written without the batch, channels last; `?` is a size that is\n"
            "not known."
        ),
        wrong=(
            "inputs: {image: {image: {height: 4, width: 4}}}\n"
            "network:\n"
            "  - conv2d: {filters: 8, kernel_size: 5}"
        ),
        right=(
            "inputs: {image: {image: {height: 4, width: 4}}}\n"
            "network:\n"
            "  - conv2d: {filters: 8, kernel_size: 3}"
        ),
    ),
    Rule(
        code="KS407",
        title="too many inputs for the layer",
        explanation=(
            "Most layers take one input. Layers such as `add` and `concatenate` join\nseveral."
        ),
        wrong=("- dense: 8\n  from: [a, b]"),
        right=("- concatenate\n  from: [a, b]\n- dense: 8"),
    ),
    Rule(
        code="KS408",
        title="an output of the wrong shape",
        explanation=(
            "The shape of the step must fit the kind of the output: one number per label for\n"
            "a category, one for a binary output, `size` numbers, or the shape of a tensor."
        ),
        wrong=(
            "outputs: {digit: {category: {labels: [a, b, c]}}}\n"
            "network:\n"
            "  - dense: 10\n"
            "    name: digit"
        ),
        right=(
            "outputs: {digit: {category: {labels: [a, b, c]}}}\n"
            "network:\n"
            "  - dense: 3\n"
            "    name: digit"
        ),
    ),
    Rule(
        code="KS409",
        title="a first step without an input",
        explanation="With several inputs, the first step says by `from` which of them it takes.",
        wrong=("inputs: {a: {number: 3}, b: {number: 3}}\nnetwork:\n  - concatenate"),
        right=(
            "inputs: {a: {number: 3}, b: {number: 3}}\nnetwork:\n  - concatenate\n    from: [a, b]"
        ),
    ),
    Rule(
        code="KS410",
        title="code that was not allowed",
        explanation=(
            "A spec may name a Python file with layers of its own. Running it means to trust\n"
            "whoever wrote it, so the command line has to allow it, each time."
        ),
        wrong="kspec check model.yaml                  # python: layers.py",
        right="kspec check --allow-python model.yaml   # python: layers.py",
    ),
    Rule(
        code="KS411",
        title="a third-party layer that cannot be used",
        explanation=(
            "A layer of a package or of the spec's Python file is a subclass of\n"
            "`kspec.schemas.layers.Layer` with a `key` that no other layer has, `keras` as\n"
            "`module:Class`, its arguments as fields, and an `output_shape` that is equal to\n"
            "the output shape of the Keras class."
        ),
        wrong='class Scale(Layer):\n    key = "dense"',
        right='class Scale(Layer):\n    key = "scale"\n    keras = "my_layers.scale:Scale"',
    ),
    Rule(
        code="KS412",
        title="a `use` that names something that cannot be reused",
        explanation=(
            "`use` names an earlier step or call of a block, calls its layers again with the\n"
            "same variables, and takes the same number of inputs. Rounds of `repeat` are\n"
            "separate steps."
        ),
        wrong="- dense: 8\n  name: deep\n  repeat: 2\n- use: deep",
        right="- dense: 8\n  name: deep\n  repeat: 2\n- use: deep_1\n- use: deep_2",
    ),
    Rule(
        code="KS430",
        title="whole numbers where float32 is computed",
        explanation=(
            "The layer computes with float32, and its input is int32. Keras fails on it in\n"
            "training or at inference, or rounds every step. Layers that move values, such as\n"
            "`flatten` and `concatenate`, keep int32; `embedding`, `dense`, `rescaling` and\n"
            "others return float32."
        ),
        wrong=(
            "inputs: {image: {tensor: {shape: [8, 8, 3], dtype: int32}}}\n"
            "network:\n"
            "  - conv2d: {filters: 4, kernel_size: 3}"
        ),
        right=(
            "inputs: {image: {tensor: {shape: [8, 8, 3], dtype: int32}}}\n"
            "network:\n"
            "  - rescaling: 1/255\n"
            "  - conv2d: {filters: 4, kernel_size: 3}"
        ),
    ),
    Rule(
        code="KS431",
        title="a tensor that is too large",
        explanation=(
            "An input, the output of a step, or a tensor that a layer computes on the way has\n"
            "more than 2,147,483,647 values for each row. Runtimes count values with an int32.\n"
            "A named dimension counts as 1."
        ),
        wrong="inputs: {image: {image: {height: 1000000000, width: 1000000000}}}",
        right="inputs: {image: {image: {height: 1000, width: 1000}}}",
    ),
    Rule(
        code="KS432",
        title="a weight that is too large",
        explanation=(
            "A weight of the layer has more than 2,147,483,647 values. Often a `flatten` of a\n"
            "large picture stands before a `dense`."
        ),
        wrong="- embedding: {input_dim: 2000000000, output_dim: 64}",
        right="- embedding: {input_dim: 200000, output_dim: 64}",
    ),
    Rule(
        code="KS433",
        title="weights that are too large together",
        explanation=(
            "All weights of a network may take 17.2 GB (2³⁴ bytes). Training holds four values\n"
            "for each: the weight, its gradient and two moments. The step that exceeds the\n"
            "bound is named."
        ),
        wrong="- dense: 30000\n  repeat: 10",
        right="- dense: 3000\n  repeat: 10",
    ),
    Rule(
        code="KS434",
        title="tensors that are too large together",
        explanation=(
            "The tensors of all inputs and steps for one row may take 68.7 GB (2³⁶ bytes):\n"
            "training keeps them for the gradients, on one device. The step that exceeds the\n"
            "bound is named."
        ),
        wrong="- up_sampling2d: 2\n  repeat: 12",
        right="- up_sampling2d: 2\n  repeat: 3",
    ),
    Rule(
        code="KS435",
        title="a batch that is too large",
        explanation="The tensors of all steps for one batch may take 4.4 TB (2⁴² bytes).",
        wrong="train: {epochs: 1, batch_size: 2000000000}",
        right="train: {epochs: 1, batch_size: 256}",
    ),
    Rule(
        code="KS436",
        title="weights that a format cannot hold",
        explanation=(
            "The weights of the network are larger than a file of the target's format can be:\n"
            "TFLite and SavedModel hold 2 GB."
        ),
        wrong=(
            "network:\n  - embedding: {input_dim: 10000000, output_dim: 64}\ntargets: {android: {}}"
        ),
        right=(
            "network:\n  - embedding: {input_dim: 10000000, output_dim: 64}\ntargets: {onnx: {}}"
        ),
    ),
)
