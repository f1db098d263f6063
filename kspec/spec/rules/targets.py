"""KS7xx · targets, emission and parity."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS710",
        title="operation that a format cannot express",
        explanation="A layer is made of an operation that the format of a target has no means to\n"
        "write, not even by simpler ones. It is found before training, by emitting the network\n"
        "with random weights. `docs/conformance.md` lists what each format can.",
        wrong="network: [{conv3d_transpose: {filters: 8, kernel_size: 3}}]\n"
        "targets: {android: {}}   # when its kernels lack the operation",
        right="network: [{conv3d_transpose: {filters: 8, kernel_size: 3}}]\ntargets: {server: {}}",
    ),
    Rule(
        code="KS711",
        title="layer that cannot be compiled",
        explanation="A layer did not trace into operations that have a meaning of their own: it\n"
        "runs code, depends on data for its shape, or mixes the rows of a batch.",
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
        explanation="The artifact of this target has fixed shapes, and an input has a dimension\n"
        "that the spec leaves open. The target's option `dimensions` gives its size. A target\n"
        "without that option, such as the browser with LiteRT.js, takes fixed sizes only: choose\n"
        "another engine, or write a number in the input's shape.",
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
        "with the hashes of the verified files. A file there is another one: something else wrote\n"
        "to the folder at the same time, or the disk failed.",
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
        code="KS720",
        title="artifact differs from the trained model",
        explanation="The artifact was run in its own runtime, and an output is farther from the\n"
        "trained model's than the tolerance allows. The build names the first node that differs\n"
        "and its line. Nothing is shipped.",
        wrong="digits.onnx differs from the trained model at output 'digit', row 3",
        right="a report with the spec: this is a fault of kspec or of the runtime",
        exit_code=1,
    ),
    Rule(
        code="KS721",
        title="artifact does not run",
        explanation="The runtime of the format refused to open the artifact, or failed while it\n"
        "ran, or gave other outputs than the model has. Nothing is shipped.",
        wrong="digits.tflite does not run in tflite's own runtime",
        right="the versions of requirements.lock, with which it was tested",
        exit_code=1,
    ),
    Rule(
        code="KS722",
        title="a network that ignores its inputs",
        explanation="The model answers the same for every row, whatever its weights are. Any\n"
        "artifact would agree with it, so that a comparison would prove nothing. A layer drops\n"
        "its input, or the model was never trained and a signal dies away in it.",
        wrong="network: [{activation: relu}, {rescaling: 0}]",
        right="network: [{activation: relu}, {dense: 3}]",
        exit_code=1,
    ),
    Rule(
        code="KS723",
        title="graph differs from the trained model",
        explanation="The graph that was traced from the model, evaluated in float64, does not\n"
        "give what Keras gives. It is a fault of kspec, or the network is so ill-conditioned\n"
        "that float32 decides its answer.",
        wrong="the graph differs from the trained model at output 'digit'",
        right="a report with the spec; training with smaller weights if they have grown",
        exit_code=70,
    ),
    Rule(
        code="KS724",
        title="a trained model that answers a constant",
        explanation="The trained model answers the same for every golden row, though the network\n"
        "does not ignore its inputs. The message names the likely reason: moving averages of\n"
        "BatchNormalization that have not reached the statistics of the batches, a ReLU that\n"
        "gives 0 for every row, or a loss that did not fall.",
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
        "`model.weights.h5`. Other entries, an entry that is there twice, encryption, and sizes\n"
        "that cannot be are refused before anything is unpacked.",
        wrong="kspec import model.h5",
        right='keras.models.load_model("model.h5").save("model.keras")',
    ),
    Rule(
        code="KS731",
        title="configuration of a .keras file that cannot be read",
        explanation="`config.json` is not JSON, is nested too deeply, or does not describe a\n"
        "Functional or Sequential model whose calls can be made one after the other.",
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
        explanation="A number is not finite or larger than any layer can hold, a text is too\n"
        "long, or a type of numbers is not float32 (or a whole number, of inputs).",
        wrong='{"class_name": "Dense", "config": {"units": 1e400}}',
        right='{"class_name": "Dense", "config": {"units": 64}}',
    ),
    Rule(
        code="KS734",
        title="size in a .keras file that is refused",
        explanation="A tensor, the variables together, or the number of layers would be larger\n"
        "than what can be compiled. Nothing of that size has been allocated.",
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
        explanation="For each variable of the model there is an array of its shape and type in\n"
        "`model.weights.h5`. Here one is missing or another.",
        wrong="the configuration of one model with the weights of another",
        right="a file that `model.save` wrote and nobody edited",
    ),
    Rule(
        code="KS737",
        title="layer of a .keras file that cannot be built",
        explanation="Keras refused the arguments of a layer or what it is called on. The file may\n"
        "be of another version of Keras than the one that is installed.",
        wrong="a file of a newer Keras, with an argument that this one does not know",
        right="the version of Keras that wrote the file, or the model saved again",
    ),
    Rule(
        code="KS738",
        title="model that cannot be written as a spec",
        explanation="A spec has the layers of the catalogue, with one output each. Operations\n"
        "between layers are written as the layers that do the same, where there are any; a\n"
        "sort, a slice, or a layer that gives its state has no words in it. `kspec emit\n"
        "model.keras` compiles such models without a spec.",
        wrong="kspec import sorted.keras",
        right="kspec emit sorted.keras --format onnx",
    ),
    Rule(
        code="KS739",
        title="rows that do not fit the model",
        explanation="For each input of the model there are rows, an array whose first axis counts\n"
        "them. Their shape is the input's, all inputs have as many rows, and an input of whole\n"
        "numbers gets whole numbers.",
        wrong='kspec.compile_keras(model, rows={"x": np.zeros((8, 3))})   # x has 4 numbers',
        right='kspec.compile_keras(model, rows={"x": np.zeros((8, 4))})',
    ),
    Rule(
        code="KS740",
        title="call of keras.ops that is not understood",
        explanation="An operation is called with arguments that Keras takes and that its rule in\n"
        "kspec does not expect. The message names the layer and the operation.",
        wrong="a call of keras.ops with an argument of an unusual form",
        right="a report with that call; until then, the same numbers by other operations",
    ),
    Rule(
        code="KS741",
        title="model that Keras cannot call",
        explanation="The model raised an error when it was called with the rows on which its\n"
        "artifacts would be judged, before anything was compared.",
        wrong="rows with ids that an Embedding does not have",
        right='kspec.compile_keras(model, rows={"ids": ids})',
    ),
    Rule(
        code="KS742",
        title="element type that artifacts do not have",
        explanation="Artifacts take and compute whole numbers and float32. Inputs of int16,\n"
        "uint16, uint32 and bfloat16 become the next wider type, which holds the same numbers;\n"
        "what is computed in such a type before a cast is refused, since it overflows or rounds\n"
        "there.\n"
        "Text and complex numbers are refused.",
        wrong='keras.Input((1,), dtype="string")',
        right='keras.Input((1,), dtype="int32")   # ids that StringLookup made of the text',
    ),
    Rule(
        code="KS743",
        title="quantised layer",
        explanation="`model.quantize` replaces the weights of a layer by whole numbers and\n"
        "scales. Formats quantise in ways of their own, so the model is compiled as it was before.",
        wrong='model.quantize("int8"); kspec.compile_keras(model)',
        right="kspec.compile_keras(model)",
    ),
    Rule(
        code="KS744",
        title="rows that depend on each other",
        explanation="The model is built for a fixed number of rows. Its artifacts take any\n"
        "number, which is right only where a row's answer depends on that row alone.",
        wrong="keras.Input(batch_shape=(2, 4)) and a mean over axis 0",
        right="keras.Input((4,)) and a mean over the other axes",
    ),
    Rule(
        code="KS745",
        title="size of a dimension that the model does not leave open",
        explanation="`dimensions` gives sizes, whole numbers above zero, to dimensions that the\n"
        "model leaves open, by name: `<input>_<axis>`.",
        wrong='kspec.compile_keras(model, dimensions={"time": 5})',
        right='kspec.compile_keras(model, dimensions={"x_1": 5})',
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
