"""KS9xx · the command line and the environment."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS901",
        title="no space left",
        explanation=(
            "The disk, or the user's quota, is full. Nothing half-written is left; finished\n"
            "stages are kept, and the same command continues from them. The store `.kspec`\n"
            "beside a spec can be deleted at any time."
        ),
        wrong="kspec build model.yaml --store /full/disk",
        right="kspec build model.yaml --store /disk/with/space",
        exit_code=3,
    ),
    Rule(
        code="KS902",
        title="no permission",
        explanation=(
            "The system does not let this user read or write the file. kspec writes into\n"
            "the folder of bundles (`--out`, else `dist` beside the spec), the store\n"
            "(`--store`, else `.kspec` beside the spec) and the folder for temporary files."
        ),
        wrong="kspec build /usr/share/model.yaml",
        right="kspec build /usr/share/model.yaml --out dist --store .kspec",
        exit_code=3,
    ),
    Rule(
        code="KS903",
        title="the system refused",
        explanation=(
            "The system refused an operation on a file or a process, for the reason in the\n"
            "message. Nothing half-written is left."
        ),
        wrong="kspec build model.yaml --out dist   # where dist is a file",
        right="kspec build model.yaml --out out",
        exit_code=3,
    ),
    Rule(
        code="KS904",
        title="a package is missing",
        explanation=(
            "kspec needs a Python package that is not installed, or whose native library\n"
            "does not load. `kspec doctor` lists all of them. coremltools has no build for\n"
            "Linux on Arm: Core ML artifacts are written elsewhere."
        ),
        wrong="targets: {ios: {}}   # on a Raspberry Pi",
        right="targets: {raspberry_pi: {}}",
        exit_code=3,
    ),
    Rule(
        code="KS905",
        title="out of memory",
        explanation=("The data, the network or a batch do not fit into memory."),
        wrong="train: {batch_size: 65536}",
        right="train: {batch_size: 64}",
        exit_code=3,
    ),
    Rule(
        code="KS906",
        title="an extension does not load",
        explanation=(
            "An installed package declares a platform or a format by the entry point\n"
            "`kspec.platforms` or `kspec.formats`, and its code raised an error, or the entry\n"
            "point is another object. The message names the package; kspec works without it."
        ),
        wrong='[project.entry-points."kspec.platforms"]\nbrick = "kspec_brick:Bric"',
        right='[project.entry-points."kspec.platforms"]\nbrick = "kspec_brick:Brick"',
        exit_code=3,
    ),
    Rule(
        code="KS907",
        title="two targets of one name",
        explanation=(
            "Two installed packages have a platform or a format of the same name, or a package\n"
            "uses a name of kspec's own. A spec could mean either: remove one of them."
        ),
        wrong='name = "ios"   # in a third-party platform',
        right='name = "brick"',
        exit_code=3,
    ),
    Rule(
        code="KS910",
        title="a file is in the way",
        explanation=("`kspec init` writes new files only; it never replaces one."),
        wrong="kspec init .   # with a model.yaml in it",
        right="kspec init digits",
    ),
    Rule(
        code="KS911",
        title="unknown rule",
        explanation=("No diagnostic has this code. `kspec rule` lists all of them."),
        wrong="kspec rule KS9111",
        right="kspec rule KS911",
    ),
    Rule(
        code="KS912",
        title="no such artifact",
        explanation=(
            "The command is about artifacts, and the spec names no target, or none of the\n"
            "bundles has an artifact of the format that was asked for."
        ),
        wrong="kspec predict dist/browser --format tflite --input rows.json",
        right="kspec predict dist/browser --format onnx --input rows.json",
    ),
    Rule(
        code="KS913",
        title="rows that cannot be read",
        explanation=(
            "Rows to predict stand in a CSV file with the spec's columns, or in JSON: a list\n"
            "of objects with one value for each input, or for each of its columns."
        ),
        wrong='{"x": [1, 2], "y": [3]}',
        right='[{"x": 1, "y": 3}, {"x": 2, "y": 4}]',
    ),
    Rule(
        code="KS914",
        title="nothing was built here",
        explanation=(
            "There is no bundle in the folder, or it is not one that this version of kspec\n"
            "reads. `kspec build` makes them, in `dist` beside the spec."
        ),
        wrong="kspec verify model.yaml   # never built",
        right="kspec build model.yaml\nkspec verify model.yaml",
    ),
    Rule(
        code="KS915",
        title="a bundle was altered",
        explanation=(
            "A file in the bundle was changed, removed or added, according to the SHA-256 of\n"
            "every file in `kspec-bundle.json`. The build's proof does not hold for these files."
        ),
        wrong="dist/browser/digits.onnx, edited by hand",
        right="kspec build model.yaml   # puts the proven file back",
        exit_code=1,
    ),
    Rule(
        code="KS916",
        title="a folder in the way",
        explanation=(
            "A build replaces and removes only what a build has put there: folders with a valid\n"
            "`kspec-bundle.json` of the same target, and in the folder of an emission, earlier\n"
            "forms of the same artifact. Anything else stays as it is, and the build ends."
        ),
        wrong="dist/browser/   # with files of your own",
        right="mv dist/browser web; kspec build model.yaml",
    ),
    Rule(
        code="KS917",
        title="results through a link",
        explanation=(
            "The folder of bundles or the store is a symbolic link, a file, or lies beyond a\n"
            "link in the repository. Whoever wrote the link would decide which folder is\n"
            "replaced."
        ),
        wrong="ln -s ../other dist; kspec build model.yaml",
        right="kspec build model.yaml --out ../other",
    ),
    Rule(
        code="KS918",
        title="a bundle that contradicts itself",
        explanation=(
            "`kspec-bundle.json` uses a file that is not in its list of hashes or does not lie\n"
            "in the bundle, has options that the format does not have, or golden rows that do\n"
            "not fit the signature. No build writes such a bundle."
        ),
        wrong='"golden": {"file": "../golden.safetensors"}',
        right="kspec build model.yaml   # writes the bundle again",
        exit_code=1,
    ),
    Rule(
        code="KS930",
        title="interrupted",
        explanation=(
            "The command was stopped from outside. Finished stages are kept, and the last\n"
            "checkpoint if the training had finished an epoch: the same command goes on from\n"
            "there, to the same weights. The exit code is 130 after Ctrl-C and 143 after SIGTERM."
        ),
        wrong="kspec build model.yaml   # and Ctrl-C",
        right="kspec build model.yaml   # once more",
        exit_code=130,
    ),
    Rule(
        code="KS970",
        title="a fault of kspec",
        explanation=(
            "kspec raised an unexpected error. No spec should cause one: please report it, with\n"
            "the spec and the output of `kspec --traceback`."
        ),
        wrong="kspec build model.yaml",
        right="kspec --traceback build model.yaml",
        exit_code=70,
    ),
)
