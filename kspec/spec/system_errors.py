"""Errors of the operating system that libraries tell as text."""

import errno
import os
import re

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No space on the disk, within the quota, or within the largest size of a file."""
_NUMBER = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")
"""As Rust and Python write the number of an error: `I/O error: … (os error 28)`."""


def system_error(text: str) -> OSError | None:
    """Return the OSError whose number stands in the text; None if no number does."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    number = int(found[1] or found[2])
    return OSError(number, os.strerror(number))
