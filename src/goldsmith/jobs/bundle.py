"""A support bundle: what somebody else needs to understand a job, as one ZIP file; without secrets, without rows.

Left out are the rows, prompts, answers, models and names of people and things. What looks like a secret, an address of
a person, or a place under somebody's home folder is taken out of every text. Pure but for reading the job's own log.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.tables import Job, JobEvent

LOG_TAIL_BYTES: Final = 200_000
MAX_EVENTS: Final = 5_000
_WITHOUT_EVENTS: Final = frozenset({"sampled"})
"""Kinds whose data is what a model wrote."""
_SETTING: Final = re.compile(r"[A-Za-z0-9_.:+-]{1,64}")
"""A word or an id; a sentence is somebody's."""
_NAMES: Final = frozenset({"name", "title", "labels", "suffix", "url", "upload", "filename", "philosopher", "message"})
_SECRETS_NAME: Final = r"\w*(?:api[-_]?key|password|passwd|secret|token)"
_MASKS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"//[^\s/@]+@"), "//***@"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]+", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"\b(?:gsk|sk|hf|ghp|gho|whsec|xox[a-z])[-_][\w-]{6,}"), "***"),
    (re.compile(rf"""\b({_SECRETS_NAME}["']?\s*[=:]\s*["']?)[^\s"',]{{4,}}""", re.IGNORECASE), r"\1***"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "***@***"),
    (re.compile(r"(/(?:home|Users)/)[^/\s:\"']+"), r"\1***"),
    # What the queue says of who asked, and where: "asked for again by Ada", "claimed by adas-laptop".
    (re.compile(r"\b((?:again|claimed|stopped) by) [^,;:]+"), r"\1 ***"),
    (re.compile(r"\b(The machine) \S+ (?=stopped)"), r"\1 *** "),
)
README: Final = """This is a support bundle of Goldsmith: what is needed to understand one job.

about.json    Goldsmith, Python, machine, environments
job.json      the job: its kind, state, settings, failure
order.json    what its program was told, where it has one: settings, sizes, hashes
events.jsonl  what happened, in order
log.txt       the end of what its programs printed

It holds no rows, prompts, answers, models or keys. What looked like a secret, an e-mail address or a home folder was
replaced by ***; a library that failed may still have printed a piece of a text into the log, so read log.txt before
you hand it on.
"""


def make(job: Job, events: Sequence[JobEvent], folder: JobFolder, about: Mapping[str, Any]) -> bytes:
    """The ZIP file. `about` are facts on Goldsmith and the machine; texts in it are cleaned as all others."""
    files = {
        "README.txt": README,
        "about.json": _as_json(cleaned(dict(about))),
        "job.json": _as_json(_job(job)),
        "events.jsonl": "".join(json.dumps(line) + "\n" for line in _events(events)),
        "log.txt": clean(_tail(folder, job.attempt)),
    }
    if folder.order.exists():
        files["order.json"] = _as_json(_order(json.loads(folder.order.read_text(encoding="utf-8"))))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in files.items():
            bundle.writestr(name, text)
    return content.getvalue()


def clean(text: str) -> str:
    """The text without what looks like a secret, an address of a person, or the name of a home folder."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def cleaned(value: Any) -> Any:
    """The same for every text in a value of JSON."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {str(name): cleaned(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(one) for one in value]
    return value


def settings_only(value: Any) -> Any:
    """Numbers, switches, ids and single words; a name, a sentence and everything under a name's key becomes null."""
    if isinstance(value, Mapping):
        return {str(name): None if name in _NAMES else settings_only(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [settings_only(one) for one in value]
    if isinstance(value, str):
        return clean(value) if _SETTING.fullmatch(value) else None
    return value


def _job(job: Job) -> dict[str, Any]:
    moments = {name: getattr(job, name) for name in ("started_at", "finished_at")}
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "stage": job.stage,
        "attempt": job.attempt,
        "num_deaths": job.num_deaths,
        "progress": job.progress,
        "because": clean(job.because),
        "params": settings_only(job.params),
        "result": settings_only(job.result),
        "failure": cleaned(job.failure),
        **{name: moment.isoformat() if moment is not None else None for name, moment in moments.items()},
    }


def _order(order: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = settings_only({**order, "base_model_folder": None, "model_name": None})
    return found


def _events(events: Iterable[JobEvent]) -> Iterable[dict[str, Any]]:
    for event in list(events)[-MAX_EVENTS:]:
        said = {name: one for name, one in event.data.items() if name != "machine"}
        data = None if event.kind in _WITHOUT_EVENTS else cleaned(said)
        known = {"at": event.at.isoformat(), "attempt": event.attempt, "source": event.source, "kind": event.kind}
        yield {**known, "data": data}


def _tail(folder: JobFolder, attempt: int) -> str:
    path = folder.log(attempt)
    if not path.exists():
        return "No program of this job has printed anything.\n"
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        return file.read().decode("utf-8", errors="replace")


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
