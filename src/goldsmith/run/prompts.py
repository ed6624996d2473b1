"""The verbs of prompts: save a wording, and look at what it asks for real rows. A version never changes."""

import hashlib
import json

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.data import queries as data_queries
from goldsmith.errors import GoldsmithError
from goldsmith.people.types import Person
from goldsmith.run import queries
from goldsmith.run.errors import PromptNotUsable
from goldsmith.run.messages import Wording, check_schema, messages_for, variables_of
from goldsmith.run.tables import Prompt, PromptVersion
from goldsmith.run.types import PromptDraft, PromptPreview
from goldsmith.storage.ids import Prefix, new_id

MAX_TEXT_BYTES = 65_536


def save_prompt(session: Session, name: str, draft: PromptDraft, *, by: Person) -> PromptVersion:
    """The version of the prompt with this wording; made when new, else the one that is there already.

    Raises PromptNotUsable and AnswerSchemaNotUsable.
    """
    _check(draft)
    prompt = _prompt(session, name, by)
    content_hash = _hash_of(draft)
    same = select(PromptVersion).where(PromptVersion.prompt_id == prompt.id, PromptVersion.content_hash == content_hash)
    found = session.scalar(same.order_by(PromptVersion.number.desc()).limit(1))
    if found is not None:
        return found
    newest = session.scalar(select(func.max(PromptVersion.number)).where(PromptVersion.prompt_id == prompt.id))
    version = PromptVersion(
        id=new_id(Prefix.PROMPT_VERSION),
        prompt_id=prompt.id,
        number=(newest or 0) + 1,
        system_text=draft.system_text,
        template=draft.template,
        answer_schema=dict(draft.answer_schema) if draft.answer_schema is not None else None,
        content_hash=content_hash,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(version)
    session.flush()
    return version


def preview(session: Session, wording: Wording, dataset_version_id: str, *, limit: int = 3) -> list[PromptPreview]:
    """What the first rows would ask; a row for which it cannot says why."""
    rows = data_queries.rows(session, dataset_version_id, limit=limit)
    previews = []
    for row in rows:
        try:
            previews.append(PromptPreview(row.id, row.position, messages_for(wording, row.content)))
        except GoldsmithError as error:
            previews.append(PromptPreview(row.id, row.position, [], problem=error.message))
    return previews


def _check(draft: PromptDraft) -> None:
    for text in (draft.template, draft.system_text):
        if len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
            raise PromptNotUsable(f"The prompt is longer than {MAX_TEXT_BYTES:,} bytes.", hint="Make it shorter.")
        if "\x00" in text or text != text.encode("utf-8", "replace").decode("utf-8"):
            raise PromptNotUsable("The prompt holds a character that is no text.", hint="Take it out.")
    if not variables_of(draft.template):
        raise PromptNotUsable("The prompt names no column, so it would ask the same for every row.")
    variables_of(draft.system_text)
    check_schema(draft.answer_schema)


def _prompt(session: Session, name: str, by: Person) -> Prompt:
    name = name.strip()[:255]
    if not name:
        raise PromptNotUsable("The prompt has no name.", hint="Give it one.")
    found = queries.prompt_named(session, name, domain=by.domain)
    if found is None:
        found = Prompt(id=new_id(Prefix.PROMPT), name=name, domain=by.domain, created_by=by.id)
        session.add(found)
        session.flush()
    return found


def _hash_of(draft: PromptDraft) -> str:
    content = [draft.system_text, draft.template, draft.answer_schema]
    canonical = json.dumps(content, sort_keys=False, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
