"""Sizes and spans of time as people read them: on pages, in a job's message, in a terminal."""

_THOUSANDS = ("bytes", "KB", "MB", "GB", "TB")


def size(num_bytes: float) -> str:
    """269 MB; thousands, as disks and downloads count."""
    left = float(num_bytes)
    for unit in _THOUSANDS:
        if left < 1000 or unit == _THOUSANDS[-1]:
            return f"{left:.0f} {unit}" if left >= 100 or unit in ("bytes", "KB") else f"{left:.1f} {unit}"
        left /= 1000
    raise AssertionError("the last unit takes everything")


def about(seconds: float) -> str:
    """Rounded, so that it promises no more than is known and does not flicker: about 40 s, about 2 min, about 1 h."""
    if seconds < 50:
        return f"about {max(5, round(seconds / 5) * 5)} s"
    if seconds < 3000:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.1f} h".replace(".0 ", " ")
