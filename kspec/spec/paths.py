"""Checks of the paths in a spec: they stay under its roots, and files or folders exist there."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from kspec.schemas.data import Csv, ImageFolder, Npz, Parquet
from kspec.spec.diagnostics import Diagnostic, Route
from kspec.spec.roots import Roots
from kspec.spec.suggestions import nearest
from kspec.spec.untrusted import File, PlaceError, Reason, check_folder

MAX_BYTES = 16 << 30
"""Maximum bytes of a file that a spec names, since its content is held in memory."""

CODES: Mapping[Reason, str] = MappingProxyType(
    {"link": "KS210", "outside": "KS210", "refused": "KS210", "kind": "KS211", "size": "KS504"}
)
HELP: Mapping[Reason, str] = MappingProxyType(
    {
        "link": "put the file itself there: a spec is read without following links",
        "outside": "put it into the spec's folder",
        "size": "split it, or keep fewer rows or columns",
    }
)

NOT_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "://": "a spec reads files only: download it into the spec's folder",
        "$": "a spec reads no environment variables: set the path by `--set data.source.csv=PATH`",
    }
)
"""Help for a path that contains the sign of a URL, a variable or a home folder."""

Source = Csv | Parquet | Npz | ImageFolder


def check_source(source: Source, roots: Roots, problems: list[Diagnostic]) -> None:
    """Report each path of the data's source that leaves all roots or does not exist."""
    route: Route = ("data", "source", source.key)
    wants_folder = isinstance(source, ImageFolder)
    if isinstance(source, Csv | Parquet):
        several = source.paths
        for place, path in enumerate(several):
            _check(path, roots, (*route, "paths", place), problems, wants_folder=wants_folder)
    else:
        _check(source.path, roots, (*route, "path"), problems, wants_folder=wants_folder)


def check_file(path: str, folder: Path, route: Route, problems: list[Diagnostic]) -> bool:
    """Return whether `path` is a file inside `folder`; report it if not."""
    before = len(problems)
    _check(path, Roots(folder), route, problems, wants_folder=False)
    return len(problems) == before


def _check(
    path: str, roots: Roots, route: Route, problems: list[Diagnostic], *, wants_folder: bool
) -> None:
    try:
        root, place = roots.place(path)
    except PlaceError as error:
        upward = "/".join(part for part in PurePosixPath(path).parts if part == "..")
        help_ = f"grant the folder to the spec: `--root {roots.folder / upward}`"
        problems.append(Diagnostic("KS210", error.message, route, help=help_))
        return
    try:
        if wants_folder:
            check_folder(root, place)
        else:
            File(root, place, MAX_BYTES).open().close()
    except PlaceError as error:
        problems.append(_explain(error, path, roots.folder, route))


def _explain(error: PlaceError, path: str, folder: Path, route: Route) -> Diagnostic:
    if error.reason in CODES:
        return Diagnostic(CODES[error.reason], error.message, route, help=HELP.get(error.reason))
    for sign, help_ in NOT_PATHS.items():
        if sign in path:
            return Diagnostic("KS211", error.message, route, help=help_)
    near = nearest(PurePosixPath(path).name, _names(folder / PurePosixPath(path).parent))
    parent = PurePosixPath(path).parent
    help_ = f"did you mean `{parent / near}`?" if near else "it is looked for beside the spec"
    return Diagnostic("KS211", error.message, route, help=help_)


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
