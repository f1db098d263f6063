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
        "that the spec leaves open. The target's option `dimensions` gives its size.",
        wrong="inputs: {sound: {tensor: [time, 40]}}\ntargets: {android: {}}",
        right="inputs: {sound: {tensor: [time, 40]}}\n"
        "targets: {android: {dimensions: {time: 100}}}",
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
        title="outputs that do not vary",
        explanation="The model answers the same for every row. Any artifact would agree with it,\n"
        "so that a comparison would prove nothing: training failed, or a layer drops its input.",
        wrong="train: {epochs: 1, optimizer: {sgd: {learning_rate: 1e-9}}}",
        right="train: {epochs: 20}",
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
)
