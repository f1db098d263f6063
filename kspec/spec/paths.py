"""Paths in a spec: they stay under the spec's folder, and lead to something."""

from pathlib import Path, PurePosixPath, PureWindowsPath

from kspec.schemas.data import Csv, ImageFolder, Npz, Parquet
from kspec.spec.diagnostics import Diagnostic, Route
from kspec.spec.suggestions import nearest

Source = Csv | Parquet | Npz | ImageFolder


def check_source(source: Source, folder: Path, problems: list[Diagnostic]) -> None:
    """Report each path of the data's source that leads out of `folder` or to nothing."""
    route: Route = ("data", "source", source.key)
    wants_folder = isinstance(source, ImageFolder)
    if isinstance(source, Csv | Parquet):
        several = source.paths
        for place, path in enumerate(several):
            _check(path, folder, (*route, "paths", place), problems, wants_folder=wants_folder)
    else:
        _check(source.path, folder, (*route, "path"), problems, wants_folder=wants_folder)


def check_file(path: str, folder: Path, route: Route, problems: list[Diagnostic]) -> bool:
    """Whether `path` is a file inside of `folder`; reported where it is not."""
    before = len(problems)
    _check(path, folder, route, problems, wants_folder=False)
    return len(problems) == before


def _check(
    path: str, folder: Path, route: Route, problems: list[Diagnostic], *, wants_folder: bool
) -> None:
    message, help_ = _leaving(path, folder)
    if message is not None:
        problems.append(Diagnostic("KS210", message, route, help=help_))
        return
    place = folder / path
    if (wants_folder and place.is_dir()) or (not wants_folder and place.is_file()):
        return
    kind = "folder" if wants_folder else "file"
    if place.exists():
        problems.append(Diagnostic("KS211", f"`{path}` is no {kind}", route))
        return
    near = nearest(place.name, _names(place.parent))
    parent = PurePosixPath(path).parent
    help_ = f"did you mean `{parent / near}`?" if near else "it is looked for beside the spec"
    problems.append(Diagnostic("KS211", f"there is no {kind} `{path}`", route, help=help_))


def _leaving(path: str, folder: Path) -> tuple[str | None, str]:
    """Why `path` may not be read, or None; and what to do."""
    help_ = "put it into the spec's folder"
    if ".." in PurePosixPath(path).parts:
        return f"`{path}` leads out of the spec's folder", help_
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive:
        return f"`{path}` is an absolute path", help_
    try:
        inside = (folder / path).resolve().is_relative_to(folder.resolve())
        (folder / path).exists()
    except (OSError, RuntimeError):
        return f"`{path}` cannot be read", "shorten it, or look for a loop of symbolic links"
    return (
        None if inside else f"`{path}` leads out of the spec's folder by a symbolic link"
    ), help_


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
