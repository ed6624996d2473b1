"""The badges that exist: a word, the shape of an icon, and how loud it is. There are no others and no default."""

from dataclasses import dataclass
from enum import StrEnum

from goldsmith.jobs.states import JobState


@dataclass(frozen=True)
class Badge:
    """A word with its icon; `look` names the CSS class."""

    word: str
    icon: str | None
    look: str


_ICONS: dict[JobState, str] = {
    JobState.QUEUED: "queued",
    JobState.STARTING: "starting",
    JobState.RUNNING: "running",
    JobState.PAUSED: "paused",
    JobState.SUCCEEDED: "check-solid",
    JobState.FAILED: "x-square",
    JobState.CANCELLED: "slash",
}

BADGES: dict[str, Badge] = {state.value: Badge(state.value, icon, state.value) for state, icon in _ICONS.items()} | {
    "loaded": Badge("loaded", "plug", "loaded"),
    "proving": Badge("being proved", "running", "running"),
    "proved": Badge("proved", "receipt", "proved"),
    "default": Badge("default", "target", "default"),
    "not_loaded": Badge("not loaded", None, "off"),
    "refused": Badge("refused", "x-square", "refused"),
    "not_proved": Badge("not proved yet", "queued", "off"),
    "not_default": Badge("not the default", None, "off"),
    "star": Badge("gold star", "star", "star"),
    "bad": Badge("bad", "x", "off"),
    "corrected": Badge("corrected", "pen", "star"),
    "better": Badge("got better", "up", "better"),
    "worse": Badge("got worse", "down", "worse"),
    "cut": Badge("cut off", "scissors", "cut"),
    "exam": Badge("exam", "hatch", "off"),
    "rolled_back": Badge("rolled back", "left", "cut"),
    "ready": Badge("ready", "check-circle", "proved"),
    "resting": Badge("at rest", "paused", "off"),
    "stopped": Badge("stopped", None, "off"),
    "not_tested": Badge("not tested yet", "queued", "off"),
    "installed": Badge("installed", "check-circle", "proved"),
    "missing": Badge("not installed", None, "off"),
    "broken": Badge("half installed", "warn", "cut"),
    "outdated": Badge("of an older version", "clock", "off"),
    "checked": Badge("checked", "check-circle", "proved"),
    "not_good": Badge("not good", "x-square", "refused"),
    "expired": Badge("time is over", "clock", "cut"),
    "stopping": Badge("stopping", "slash", "cancelled"),
    "revoked": Badge("switched off", "slash", "off"),
}


def badge_of(state: StrEnum | str) -> Badge:
    """The badge for a state. Raises KeyError: a state without a badge is a mistake of ours."""
    return BADGES[state.value if isinstance(state, StrEnum) else state]
