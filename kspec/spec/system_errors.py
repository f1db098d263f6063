"""Errors of the operating system that libraries report as text."""

import errno
import os
import re

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of exhausted space: the disk, the quota, or the maximum size of a file."""
_NUMBER = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")
"""The number of an error as Rust and Python write it: `I/O error: … (os error 28)`."""


def system_error(text: str) -> OSError | None:
    """Return the OSError whose number is in the text; None without a number."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    number = int(found[1] or found[2])
    return OSError(number, os.strerror(number))
