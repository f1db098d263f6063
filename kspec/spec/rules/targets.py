"""KS7xx · targets, emission and parity."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS710",
        title="operation that a format cannot express",
        explanation="A layer needs an operation that the format of a target cannot express, not\n"
        "even by simpler operations. This is found before training, when the network is emitted\n"
        "with random weights. `docs/conformance.md` lists the operations of each format.",
        wrong="network: [{conv3d_transpose: {filters: 8, kernel_size: 3}}]\n"
        "targets: {android: {}}   # when its kernels lack the operation",
        right="network: [{conv3d_transpose: {filters: 8, kernel_size: 3}}]\ntargets: {server: {}}",
    ),
    Rule(
        code="KS711",
        title="layer that cannot be compiled",
        explanation="A layer could not be traced into operations of the compiler: it calls code\n"
        "other than keras.ops, its shape depends on data, or no format has its operation.",
        wrong="keras.layers.Lambda(lambda x: x * 2)",
        right="keras.layers.Rescaling(2)",
    ),
    Rule(
        code="KS712",
        title="unknown format",
        explanation="A format is `onnx`, `coreml`, `tflite`, `tf_serving`, or one that an\n"
        "installed package adds.",
        wrong="kspec emit model.yaml --format onx",
        right="kspec emit model.yaml --format onnx",
    ),
    Rule(
        code="KS713",
        title="a size is missing",
        explanation="The artifact of this target has fixed shapes, and an input has a named\n"
        "dimension. The target's option `dimensions` sets its size. A target without that option,\n"
        "such as the browser with LiteRT.js, supports fixed sizes only: choose another engine, or\n"
        "write a number in the input's shape.",
        wrong="inputs: {sound: {tensor: [time, 40]}}\ntargets: {android: {}}",
        right="inputs: {sound: {tensor: [time, 40]}}\n"
        "targets: {android: {dimensions: {time: 100}}}",
    ),
    Rule(
        code="KS714",
        title="a compiler pass failed",
        explanation="The network could not be lowered for a format because a pass of the compiler\n"
        "failed. The message names the pass and those that ran before it. This is an error of\n"
        "kspec or of an installed extension, not of the spec.",
        wrong="kspec plan model.yaml   # KS714: the pass channels_first failed",
        right="kspec emit model.yaml --format tflite   # another format has other passes",
    ),
    Rule(
        code="KS715",
        title="format that does not declare its files",
        explanation="An artifact is a set of files, and a format's `write` returns the path of\n"
        "every file. A format of an installed extension wrote another file, or did not write one\n"
        "that it returned.",
        wrong="def write(self, graph, path, options):\n"
        "    path.write_bytes(content)\n"
        "    path.with_suffix('.data').write_bytes(weights)\n"
        "    return (path.name,)",
        right="def write(self, graph, path, options):\n"
        "    path.write_bytes(content)\n"
        "    path.with_suffix('.data').write_bytes(weights)\n"
        "    return (path.name, path.with_suffix('.data').name)",
    ),
    Rule(
        code="KS716",
        title="placed file that was not verified",
        explanation="An artifact is verified, then copied to its place, and the copy is compared\n"
        "with the hashes of the verified files. A copied file differs: another process wrote to\n"
        "the folder at the same time, or the disk failed.",
        wrong="kspec emit model.yaml --out shared & cp other.onnx shared/model.onnx",
        right="kspec emit model.yaml --out shared && cp shared/model.onnx elsewhere/",
    ),
    Rule(
        code="KS717",
        title="targets fix a dimension at different sizes",
        explanation="All artifacts of a build are judged on the same rows, and rows have one\n"
        "size. Targets with fixed shapes have to give a named dimension the same size.",
        wrong="targets:\n  android: {dimensions: {time: 100}}\n  tflite: {dimensions: {time: 50}}",
        right="targets:\n  android: {dimensions: {time: 50}}\n  tflite: {dimensions: {time: 50}}",
    ),
    Rule(
        code="KS718",
        title="operation that a format cannot write",
        explanation="The rule that writes an operation in a format failed on the operation as the\n"
        "model uses it, or the library that the format is written with did. The message names the\n"
        "layer, the operation and the error. Nothing is written.",
        wrong="a layer with element types or sizes that the format's rule does not expect",
        right="a report with the model; until then, another layer or another format",
    ),
    Rule(
        code="KS720",
        title="artifact differs from the trained model",
        explanation="The artifact was run in its own runtime, and an output differs from the\n"
        "trained model's output by more than the tolerance. The build names the first node that\n"
        "differs, and its line. Nothing is shipped.",
        wrong="digits.onnx differs from the trained model at output 'digit', row 3",
        right="a report with the spec: this is a fault of kspec or of the runtime",
        exit_code=1,
    ),
    Rule(
        code="KS721",
        title="artifact does not run",
        explanation="The runtime of the format refused to open the artifact, failed while it ran\n"
        "it, or returned other outputs than the model has. Nothing is shipped.",
        wrong="digits.tflite does not run in tflite's own runtime",
        right="the versions of requirements.lock, with which it was tested",
        exit_code=1,
    ),
    Rule(
        code="KS722",
        title="a network that ignores its inputs",
        explanation="The model's outputs are equal for all rows, whatever its weights are. Any\n"
        "artifact would agree with it, so that a comparison would prove nothing. Either a layer\n"
        "ignores its input, or the model was never trained and signals vanish in it.",
        wrong="network: [{activation: relu}, {rescaling: 0}]",
        right="network: [{activation: relu}, {dense: 3}]",
        exit_code=1,
    ),
    Rule(
        code="KS723",
        title="graph differs from the trained model",
        explanation="The outputs of the graph that was traced from the model, evaluated in\n"
        "float64, differ from the outputs of Keras. Either this is a fault of kspec, or the\n"
        "network is so ill-conditioned that the rounding of float32 dominates its outputs.",
        wrong="the graph differs from the trained model at output 'digit'",
        right="a report with the spec; training with smaller weights if they have grown",
        exit_code=70,
    ),
    Rule(
        code="KS724",
        title="a trained model that answers a constant",
        explanation="The trained model has equal outputs for all golden rows, although the\n"
        "network does not ignore its inputs. The message names the likely reason: moving averages\n"
        "of BatchNormalization that have not reached the statistics of the batches, a ReLU that\n"
        "is 0 for every row, or a loss that did not fall.",
        wrong="train: {epochs: 1, optimizer: {sgd: {learning_rate: 1e-9}}}",
        right="train: {epochs: 20}",
        exit_code=1,
    ),
    Rule(
        code="KS725",
        title="rows for a spec",
        explanation="`kspec emit --rows FILE` compares the artifacts of a .keras file on these\n"
        "rows, with a column for each input. The artifacts of a spec are compared on its own data.",
        wrong="kspec emit model.yaml --rows rows.npz --out dist",
        right="kspec emit model.keras --rows rows.npz --out dist",
    ),
    Rule(
        code="KS730",
        title="not a .keras file",
        explanation="A `.keras` file is a zip with `config.json`, `metadata.json` and\n"
        "`model.weights.h5`. Other entries, duplicate entries, encryption and implausible sizes\n"
        "are refused before anything is unpacked.",
        wrong="kspec import model.h5",
        right='keras.models.load_model("model.h5").save("model.keras")',
    ),
    Rule(
        code="KS731",
        title="configuration of a .keras file that cannot be read",
        explanation="`config.json` is not JSON, is nested too deeply, or does not describe a\n"
        "Functional or Sequential model whose layers can be called in order.",
        wrong='{"class_name": "Functional", "config": {"layers": 3}}',
        right="a file that `model.save` wrote and nobody edited",
    ),
    Rule(
        code="KS732",
        title="class of a .keras file that is not read",
        explanation="Only layers of the catalogue, operations of `keras.ops`, and Keras' own\n"
        "initializers, regularizers, constraints and activations are built. Whatever would import\n"
        "a module or revive a function, such as `Lambda`, is refused: it could run anything.",
        wrong="keras.layers.Lambda(lambda x: x * 2)",
        right="keras.layers.Rescaling(2)",
    ),
    Rule(
        code="KS733",
        title="argument of a layer in a .keras file that is refused",
        explanation="A number is not finite or too large for any layer, a text is too long, an\n"
        "element type is not float32 (or, for inputs, an integer type), or a layer is quantised\n"
        "or stateful.",
        wrong='{"class_name": "Dense", "config": {"units": 1e400}}',
        right='{"class_name": "Dense", "config": {"units": 64}}',
    ),
    Rule(
        code="KS734",
        title="size in a .keras file that is refused",
        explanation="A tensor, the variables together, or the number of layers exceeds the limit\n"
        "of the compiler. Nothing of that size has been allocated.",
        wrong="keras.Input((1000000, 1000000))",
        right="keras.Input((1000, 1000))",
    ),
    Rule(
        code="KS735",
        title="weights of a .keras file that are not read",
        explanation="`model.weights.h5` must hold plain arrays: no links, no virtual or external\n"
        "datasets, no filters but gzip and shuffle, and as many bytes as the shapes claim.",
        wrong='file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/")',
        right="a file that `model.save` wrote and nobody edited",
    ),
    Rule(
        code="KS736",
        title="weights that do not fit the model",
        explanation="`model.weights.h5` must contain an array for each variable of the model,\n"
        "with the variable's shape and type. An array is missing, or has another shape or type.",
        wrong="the configuration of one model with the weights of another",
        right="a file that `model.save` wrote and nobody edited",
    ),
    Rule(
        code="KS737",
        title="layer of a .keras file that cannot be built",
        explanation="Keras refused the arguments or the inputs of a layer. The file may have been\n"
        "written by another version of Keras than the installed one.",
        wrong="a file of a newer Keras, with an argument that this one does not know",
        right="the version of Keras that wrote the file, or the model saved again",
    ),
    Rule(
        code="KS738",
        title="model that cannot be written as a spec",
        explanation="A spec has the layers of the catalogue, with one output each. Operations\n"
        "between layers are written as equivalent layers, if these exist. A sort, a slice, a mask\n"
        "that a call passes, or a layer that returns its state cannot be written. `kspec emit\n"
        "model.keras` compiles such models without a spec.",
        wrong="kspec import sorted.keras",
        right="kspec emit sorted.keras --format onnx",
    ),
    Rule(
        code="KS739",
        title="rows that do not fit the model",
        explanation="`rows` must contain an array for each input of the model. Its first axis\n"
        "counts rows and has the same size for all inputs; its other axes are the input's shape;\n"
        "an integer input takes whole numbers only.",
        wrong='kspec.compile_keras(model, rows={"x": np.zeros((8, 3))})   # x has 4 numbers',
        right='kspec.compile_keras(model, rows={"x": np.zeros((8, 4))})',
    ),
    Rule(
        code="KS740",
        title="call of keras.ops without a lowering",
        explanation="An operation is called with arguments that Keras accepts and that its rule\n"
        "in kspec does not expect. The message names the layer and the operation.",
        wrong="a call of keras.ops with an argument of an unusual form",
        right="a report with that call; until then, the same numbers by other operations",
    ),
    Rule(
        code="KS741",
        title="model that Keras cannot call",
        explanation="The model raised an error when it was called with the rows on which its\n"
        "artifacts are compared with it.",
        wrong="rows with ids that an Embedding does not have",
        right='kspec.compile_keras(model, rows={"ids": ids})',
    ),
    Rule(
        code="KS742",
        title="element type that artifacts lack",
        explanation="Artifacts compute in float32 and in integer types. Inputs of int16, uint16,\n"
        "uint32 and bfloat16 become the next wider type, which represents the same numbers.\n"
        "Computations in such a type before a cast are refused, since they overflow or round\n"
        "there. Text and complex numbers are refused.",
        wrong='keras.Input((1,), dtype="string")',
        right='keras.Input((1,), dtype="int32")   # ids that StringLookup made of the text',
    ),
    Rule(
        code="KS743",
        title="quantised layer",
        explanation="`model.quantize` replaces the weights of a layer by integers and scales.\n"
        "Formats have their own quantisation; compile the model as it was before `quantize`.",
        wrong='model.quantize("int8"); kspec.compile_keras(model)',
        right="kspec.compile_keras(model)",
    ),
    Rule(
        code="KS744",
        title="rows that depend on each other",
        explanation="Artifacts accept any number of rows, so the outputs of a row must depend on\n"
        "that row alone. Here they depend on other rows of the batch.",
        wrong="keras.Input(batch_shape=(2, 4)) and a mean over axis 0",
        right="keras.Input((4,)) and a mean over the other axes",
    ),
    Rule(
        code="KS745",
        title="size of an unknown dimension",
        explanation="`dimensions` sets the sizes, whole numbers above zero, of the model's open\n"
        "dimensions, by name: `<input>_<axis>`.",
        wrong='kspec.compile_keras(model, dimensions={"time": 5})',
        right='kspec.compile_keras(model, dimensions={"x_1": 5})',
    ),
    Rule(
        code="KS746",
        title="output without a row per input row",
        explanation="Artifacts accept any number of rows and return the outputs of each, so every\n"
        "output of the model needs the batch as its first axis, and at least one element. A mean\n"
        "over all rows, or an output with time before the batch, has another first axis.",
        wrong="keras.ops.mean(x)",
        right="keras.ops.mean(x, axis=-1)",
    ),
    Rule(
        code="KS760",
        title="golden rows that show too few faults",
        explanation="Each channel of the weights is scaled by 1.05 in the evaluator, all of them\n"
        "or a sample. Golden rows are chosen from the test split, and drawn where those do not\n"
        "suffice, until they show every channel that some row shows. Here they show less than\n"
        "95 % of them, and a bundle's self-test would not notice such a fault.",
        wrong="the golden rows show a fault in 12 of 40 channels",
        right="data: {split: {test: 0.2}}",
        exit_code=1,
    ),
)
