"""KS6xx · training."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS601",
        title="loss is not finite",
        explanation="The loss, or a metric of the validation, became NaN or infinite, and no\n"
        "later step can mend the weights. Mostly the learning rate is too high; `clipnorm` bounds\n"
        "each step, and inputs of very different sizes want `normalize: true` or a `rescale`.",
        wrong="train: {optimizer: {sgd: {learning_rate: 10}}}",
        right="train: {optimizer: {sgd: {learning_rate: 0.01, clipnorm: 1}}}",
        exit_code=1,
    ),
    Rule(
        code="KS602",
        title="unknown metric to monitor",
        explanation="Early stopping and the reduction of the learning rate watch a metric of the\n"
        "run: `loss`, `val_loss`, or a metric of an output, with the output's name before it\n"
        "where there are several. Metrics that begin with `val_` need validation rows.",
        wrong="train: {early_stopping: {monitor: val_acc}}",
        right="train: {early_stopping: {monitor: val_accuracy}}",
    ),
    Rule(
        code="KS603",
        title="loss or metric does not fit the output",
        explanation="Each loss and metric is made for one kind of output: categories, yes or no,\n"
        "or numbers.",
        wrong="train: {loss: {digit: mean_squared_error}}   # digit is a category",
        right="train: {loss: {digit: sparse_categorical_crossentropy}}",
    ),
    Rule(
        code="KS604",
        title="learning rate decided twice",
        explanation="A schedule sets the learning rate of every step, so that a reduction on a\n"
        "plateau would have no effect.",
        wrong="train: {optimizer: {adam: {learning_rate: {cosine_decay: {...}}}},\n"
        "        reduce_lr_on_plateau: {patience: 3}}",
        right="train: {optimizer: adam, reduce_lr_on_plateau: {patience: 3}}",
    ),
    Rule(
        code="KS605",
        title="no training settings",
        explanation="The spec has neither a section `train` nor `weights`, with which the model\n"
        "would be built without training.",
        wrong="kspec: 1\nname: digits",
        right="kspec: 1\nname: digits\ntrain: {epochs: 20}",
    ),
    Rule(
        code="KS606",
        title="an output that is not a probability",
        explanation="The loss of labels takes probabilities: softmax for categories, sigmoid for\n"
        "yes or no. An output without them gives any numbers, and its loss means nothing. A loss\n"
        "with `from_logits: true` takes such numbers.",
        wrong="network:\n  - dense: 3\n    name: species",
        right="network:\n  - dense: {units: 3, activation: softmax}\n    name: species",
    ),
    Rule(
        code="KS607",
        title="an activation before a loss from logits",
        explanation="A loss with `from_logits: true` applies softmax or sigmoid itself. An output\n"
        "that ends in one is squashed twice: it learns slowly and its scores are wrong.",
        wrong="train: {loss: {y: {binary_crossentropy: {from_logits: true}}}}\n"
        "network: [{dense: {units: 1, activation: sigmoid}, name: y}]",
        right="train: {loss: {y: {binary_crossentropy: {from_logits: true}}}}\n"
        "network: [{dense: 1, name: y}]",
    ),
    Rule(
        code="KS608",
        title="scores that do not sum to 1",
        explanation="Sigmoid gives each label a score of its own. A category is one label of\n"
        "several: softmax gives scores that sum to 1.",
        wrong="network:\n  - dense: {units: 3, activation: sigmoid}\n    name: species",
        right="network:\n  - dense: {units: 3, activation: softmax}\n    name: species",
        severity="warning",
    ),
    Rule(
        code="KS609",
        title="no better than a constant answer",
        explanation="On the rows of the evaluation, the model is no better than their most\n"
        "frequent label, or than the mean of the numbers. It has learnt nothing useful: look at\n"
        "the data, the learning rate, and the number of epochs. A gate turns this into a failure.",
        wrong="train: {epochs: 1}",
        right='train: {epochs: 30}\ngates: {accuracy: ">= 0.9"}',
        exit_code=1,
        severity="warning",
    ),
    Rule(
        code="KS630",
        title="no weights",
        explanation="The file of trained weights does not exist: the model was not trained yet,\n"
        "or its folder was deleted.",
        wrong="kspec emit model.yaml",
        right="kspec train model.yaml\nkspec emit model.yaml",
        exit_code=3,
    ),
    Rule(
        code="KS631",
        title="damaged weights",
        explanation="The file of weights is not a safetensors file, or was cut off or altered.",
        wrong="weights.safetensors of 0 bytes",
        right="the file as `kspec train` wrote it",
        exit_code=3,
    ),
    Rule(
        code="KS632",
        title="weights of another network",
        explanation="Weights are matched by the names, shapes and dtypes of Keras' variables, all\n"
        "or nothing. A network that was changed has to be trained again.",
        wrong="dense: {units: 20}   # trained with units: 10",
        right="dense: {units: 10}",
        exit_code=3,
    ),
    Rule(
        code="KS633",
        title="starting weights of another network",
        explanation="A file that the spec names by `weights` has one tensor for each variable,\n"
        "with its path, shape and dtype, and no others: for all variables of the network at the\n"
        "top level of the spec, for all variables of the backbone in a backbone.",
        wrong="weights: digits.safetensors   # of dense: 20\nnetwork: [dense: 10]",
        right="weights: digits.safetensors   # of dense: 10\nnetwork: [dense: 10]",
    ),
)
