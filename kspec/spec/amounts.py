"""Formatting of counts and bytes, for exact integers of any size."""

UNITS = ("B", "KB", "MB", "GB", "TB", "PB", "EB")


def spell_bytes(count: float) -> str:
    """Return ``151.4 KB``, ``2.3 PB``, ``4.7e+21 EB``; 1 KB is 1000 bytes, as in gates."""
    rank = 0
    while rank < len(UNITS) - 1 and count >= 1000 ** (rank + 1):
        rank += 1
    if rank == 0:
        return f"{count:.0f} B"
    value = count / 1000**rank
    return f"{value:.1f} {UNITS[rank]}" if value < 10_000 else f"{value:.1e} {UNITS[rank]}"


def spell_count(count: int) -> str:
    """Return ``8,589,934,592``; from 10¹⁸ on ``4.6e+27``."""
    return f"{count:,}" if count < 10**18 else f"{float(count):.1e}"
