"""How numbers, moments, durations, sizes and money are written on pages. Templates format nothing themselves.

What was not measured is said in words, never shown as 0 or as nothing.
"""

from datetime import datetime

from goldsmith.storage import amounts, clock

UNMEASURED = "not measured"


def number(value: float | None, digits: int = 3) -> str:
    """12,345 · 0.173 · not measured. Whole numbers in full, others with that many significant digits."""
    if value is None:
        return UNMEASURED
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    if abs(value) < 0.0001:
        return f"{value:.{digits - 1}g}"
    return f"{value:.{digits}g}"


def loss(value: float | None) -> str:
    """0.042 · 1.300 · not measured. Three decimals everywhere, so that two pages never differ."""
    return UNMEASURED if value is None else f"{value:.3f}"


def share(value: float | None) -> str:
    """0.9 → 90 %."""
    return UNMEASURED if value is None else f"{100 * value:.0f} %"


def tokens(value: int | None) -> str:
    """1 token, 112 tokens."""
    return counted(value, "token")


def counted(value: int | None, one: str, many: str | None = None) -> str:
    """1 row, 300 rows."""
    if value is None:
        return UNMEASURED
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def size(num_bytes: float | None) -> str:
    """269 MB; thousands, as disks and downloads count."""
    return UNMEASURED if num_bytes is None else amounts.size(num_bytes)


def money(usd: float | None) -> str:
    """$0.0042 · $12.30 · not measured."""
    if usd is None:
        return UNMEASURED
    has_whole_cents = usd == round(usd, 2)
    return f"${usd:,.2f}" if usd >= 1 or has_whole_cents else f"${usd:.2g}"


def duration(seconds: float | None) -> str:
    """0.09 s · 42 s · 2 min 31 s · 3 h 12 min · 2 d 4 h."""
    if seconds is None:
        return UNMEASURED
    if seconds < 9.95:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, smaller, length in (("d", "h", 86400), ("h", "min", 3600), ("min", "s", 60)):
        if whole >= length:
            rest = whole % length // {"h": 3600, "min": 60, "s": 1}[smaller]
            return f"{whole // length} {unit} {rest} {smaller}" if rest else f"{whole // length} {unit}"
    return f"{whole} s"


def about(seconds: float | None) -> str:
    """Time left, rounded so that it does not flicker: about 40 s, about 2 min, about 1 h."""
    return UNMEASURED if seconds is None else amounts.about(seconds)


def moment(at: datetime | None) -> str:
    """14:47 today, 12 November 14:47 this year, 12 November 2024 before; in this machine's time zone."""
    if at is None:
        return "not yet"
    here, today = at.astimezone(), clock.now().astimezone()
    if here.date() == today.date():
        return f"{here:%H:%M}"
    if here.year == today.year:
        return f"{here.day} {here:%B} {here:%H:%M}"
    return f"{here.day} {here:%B %Y}"


def clock_time(at: datetime | None) -> str:
    """14:47:03, for logs."""
    return f"{at.astimezone():%H:%M:%S}" if at else ""


FILTERS = {
    "number": number,
    "loss": loss,
    "share": share,
    "tokens": tokens,
    "counted": counted,
    "size": size,
    "money": money,
    "duration": duration,
    "about": about,
    "moment": moment,
    "clock_time": clock_time,
}
