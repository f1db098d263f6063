"""KS5xx · data."""

from kspec.spec.rule import Rule

_CSV = "data: {source: {csv: digits.csv}}"

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS501",
        title="data file not found",
        explanation="The file or folder with the data does not exist.\n"
        "Paths start from the folder of the spec and use forward slashes.",
        wrong="data: {source: {csv: digit.csv}}",
        right=_CSV,
    ),
    Rule(
        code="KS502",
        title="data outside of the spec's roots",
        explanation="A spec reads nothing outside of its own folder, by `..`, by an absolute path\n"
        "or by a symbolic link: what is built must not depend on the machine it is built on.\n"
        "`--root DIR` grants another folder.",
        wrong="data: {source: {csv: ../digits.csv}}",
        right=_CSV,
    ),
    Rule(
        code="KS503",
        title="data cannot be read in its format",
        explanation="The file is damaged, of another format, or not in UTF-8. Arrays of Python\n"
        "objects are refused in `.npz` files, since reading them can run code.",
        wrong='numpy.savez("rows.npz", x=numpy.array([{"a": 1}]))',
        right='numpy.savez("rows.npz", x=numpy.array([[1.0, 2.0]]))',
    ),
    Rule(
        code="KS504",
        title="data too large",
        explanation="The data is held in memory, and a file that would take more than 16 GiB\n"
        "there is refused before it is read; a small archive can announce any size.",
        wrong="data: {source: {npz: all-years.npz}}",
        right="data: {source: {npz: last-year.npz}}",
    ),
    Rule(
        code="KS505",
        title="no rows",
        explanation="The source is empty, or has a header and nothing else. In an image folder,\n"
        "images stand in subfolders that are named by their label.",
        wrong="x,digit",
        right="x,digit\n0.5,3",
    ),
    Rule(
        code="KS506",
        title="different or duplicate columns",
        explanation="Column names are unique, all files of one source have the same columns, and\n"
        "all arrays of an archive the same number of rows.",
        wrong="x,x,digit",
        right="x,y,digit",
    ),
    Rule(
        code="KS507",
        title="row of a different length",
        explanation="A line of a CSV file has more or fewer cells than its header. A comma inside\n"
        "a value has to be quoted.",
        wrong="x,city\n1,Paris, France",
        right='x,city\n1,"Paris, France"',
    ),
    Rule(
        code="KS510",
        title="column not found",
        explanation="The data lacks a column of an input, an output or the split, or a glob\n"
        "matches no column. Names are case-sensitive.",
        wrong="outputs: {digit: {number: 1, column: Digit}}",
        right="outputs: {digit: {number: 1, column: digit}}",
    ),
    Rule(
        code="KS511",
        title="columns do not fit the shape",
        explanation="An image takes height × width × channels numbers, a `number` input as many\n"
        "as its size, labels a single column. They come from as many columns, or from one column\n"
        "that holds arrays.",
        wrong="inputs: {x: {number: 3, columns: [a, b]}}",
        right="inputs: {x: {number: 2, columns: [a, b]}}",
    ),
    Rule(
        code="KS512",
        title="input reads the truth of an output",
        explanation="A column that an output is compared with is among the columns of an input,\n"
        "mostly by a glob. Such a model is perfect in training and useless afterwards. Only an\n"
        "autoencoder, whose output is compared with all columns of its input, may read them.",
        wrong='inputs: {x: {number: 3, columns: "*"}}\noutputs: {price: number}',
        right='inputs: {x: {number: 2, columns: "x_*"}}\noutputs: {price: number}',
    ),
    Rule(
        code="KS520",
        title="not a number",
        explanation="A cell of a column of numbers holds text, or a number that the input's dtype\n"
        "cannot hold: int32 takes whole numbers below 2³¹.",
        wrong="x,digit\n1.5 m,3",
        right="x,digit\n1.5,3",
    ),
    Rule(
        code="KS521",
        title="missing value",
        explanation="A required cell is empty, NaN or infinite. Nothing is filled in silently:\n"
        "the substitute for a missing value is a decision about the data.",
        wrong="x,digit\n,3",
        right="x,digit\n0.0,3",
    ),
    Rule(
        code="KS522",
        title="unknown label",
        explanation="A row has a label that the output does not list. Labels may be written as\n"
        'text or number: "3", "3.0" and 3 are the same.',
        wrong='outputs: {animal: {category: {labels: ["cat", "dog"]}}}   # the data has "Cat"',
        right='outputs: {animal: {category: {labels: ["Cat", "dog"]}}}',
    ),
    Rule(
        code="KS523",
        title="label without training rows",
        explanation="No row of the training split has this label, so the model cannot learn it.",
        wrong='outputs: {digit: {category: {labels: ["0", "1", "ten"]}}}',
        right='outputs: {digit: {category: {labels: ["0", "1"]}}}',
    ),
    Rule(
        code="KS524",
        title="normalising a constant column",
        explanation="`normalize` divides by the standard deviation of the training split. It is 0\n"
        "for a constant column, and the smallest later change would be amplified without bound.",
        wrong="inputs: {x: {number: 2, columns: [age, always_one], normalize: true}}",
        right="inputs: {x: {number: 1, columns: [age], normalize: true}}",
    ),
    Rule(
        code="KS530",
        title="too few rows to split",
        explanation="A requested split would have no rows.",
        wrong="data: {split: {test: 0.1}}   # of 3 rows",
        right="data: {split: {test: 0.4}}",
    ),
    Rule(
        code="KS531",
        title="stratum too small",
        explanation="With `stratify`, each value of the column needs rows in every split. A value\n"
        "has too few rows.",
        wrong="data: {split: {test: 0.2, stratify: kind}}   # one row has the kind z",
        right="data: {split: {test: 0.2}}",
    ),
    Rule(
        code="KS532",
        title="unknown split",
        explanation="The column that splits the data contains `train`, `validation` or `test` in\n"
        "each row, in exactly this spelling.",
        wrong="x,part\n1,training",
        right="x,part\n1,train",
    ),
    Rule(
        code="KS540",
        title="unusable image",
        explanation="An image cannot be decoded, has another size than an input without `resize`\n"
        "says, more than 64 million pixels, or more than eight bits a channel. Nothing is resized\n"
        "or clipped silently. BMP, JPEG, PNG and WebP are read.",
        wrong="inputs: {photo: {image: {height: 32, width: 32}}}   # photos are 640 × 480",
        right="inputs: {photo: {image: {height: 32, width: 32, resize: bilinear}}}",
    ),
    Rule(
        code="KS550",
        title="no data",
        explanation="Training and verification need rows; the spec has no section `data`.",
        wrong="kspec: 1\nname: digits",
        right=f"kspec: 1\nname: digits\n{_CSV}",
    ),
    Rule(
        code="KS551",
        title="cells not separated by commas",
        explanation="The header of the file has the columns of the spec, separated by semicolons,\n"
        "tabs or bars. A `csv` source needs commas; decimal commas cannot be read either.",
        wrong="x1;x2;place\n0.5;0.25;inside",
        right="x1,x2,place\n0.5,0.25,inside",
    ),
    Rule(
        code="KS552",
        title="no rows for validation or test",
        explanation="With `validation: 0` and `test: 0` every row trains. Metrics and gates are\n"
        "then measured on rows that the model has seen, and say nothing about new rows.",
        wrong="data: {split: {validation: 0, test: 0}}",
        right="data: {split: {validation: 0.1, test: 0.2}}",
        severity="warning",
    ),
    Rule(
        code="KS553",
        title="too many globs",
        explanation="Each glob of `columns` is compared with every column that begins with the\n"
        "letters before its first wildcard. Five million comparisons are made at most.",
        wrong='inputs: {x: {number: 3000, columns: ["*_1", "*_2", …]}}   # of 100,000 columns',
        right='inputs: {x: {number: 3000, columns: "x_*"}}',
    ),
)
