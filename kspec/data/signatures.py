"""Recognition of files that have the name of a CSV file and other content, by their first bytes."""

from kspec.data.table import refuse

SIGNATURE_BYTES = 64
"""Number of bytes that are compared with signatures."""
_EXPORT = "export it as CSV in UTF-8"
SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself: `git lfs pull`"),
    (b"PAR1", "a Parquet file", "write `source: {parquet: …}`"),
    (b"PK\x03\x04", "an archive or a workbook", _EXPORT),
    (b"\xd0\xcf\x11\xe0", "a workbook", _EXPORT),
    (b"\x1f\x8b", "compressed", "unpack it: `gunzip`"),
    (b"\x28\xb5\x2f\xfd", "compressed", "unpack it: `unzstd`"),
    (b"\xff\xfe", "text in UTF-16", _EXPORT),
    (b"\xfe\xff", "text in UTF-16", _EXPORT),
    (b"\x93NUMPY", "a NumPy array", "write it into an archive: `numpy.savez`, `source: {npz: …}`"),
    (b"<!doctype", "a web page", "download the file itself"),
    (b"<html", "a web page", "download the file itself"),
    (b"<?xml", "XML", _EXPORT),
    (b'{"', "JSON", _EXPORT),
    (b"[{", "JSON", _EXPORT),
)
"""The first bytes of a file, in lower case; what it is; what to do."""


def refuse_other_content(name: str, start: bytes) -> None:
    """Raise KspecError KS503 if a file that should be CSV starts like another kind of file."""
    for signature, what, help_ in SIGNATURES:
        if start.lower().startswith(signature.lower()):
            raise refuse("KS503", f"{name} is not CSV: it is {what}", help=help_)
