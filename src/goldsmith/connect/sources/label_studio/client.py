"""Asks one Label Studio over its API. Knows tokens, pages and what answers mean; knows nothing of rows.

Every request goes to the address that was looked at when it was made, as webhooks do; redirects are not followed. No
message repeats the token.
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from goldsmith.connect.sources.errors import OptionsNotUsable, SourceRefused, SourceSilent
from goldsmith.errors import GoldsmithError
from goldsmith.webhooks.addresses import Place
from goldsmith.webhooks.pinned import Pinned, trusted

WITHIN_S: Final = 60.0
WAITS_S: Final = (1.0, 4.0)
"""How long before a question is asked again that was not answered."""
MAX_BYTES: Final = 256_000_000
PAGE: Final = 1000
_MAY: Final = (
    "Use a token of somebody who may open the project, and who manages it where answers go there or Goldsmith is told."
)
_LATER: Final = (429, 500, 502, 503, 504)


class _NoAnswer(Exception):
    """Nothing came, or "later"; said in words."""


class _NotThere(Exception):
    """There is nothing under the path."""


@dataclass
class LabelStudio:
    """One Label Studio and one project of it."""

    find: Callable[[], Place]
    """Looks its address up; raises what forbids it."""
    token: str = field(repr=False)
    project: int
    wait: Callable[[float], None] = time.sleep
    _authorization: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Which project, where."""
        return f"Project {self.project} of Label Studio at {self.find().host_header}"

    def facts(self) -> dict[str, Any]:
        """What the project says of itself: title, number of tasks, how it is labelled."""
        found = self._asked("GET", f"/api/projects/{self.project}/")
        if not isinstance(found, dict) or "parsed_label_config" not in found:
            raise OptionsNotUsable(f"{self.name} does not say how it is labelled.", hint="Is this Label Studio?")
        return found

    def stands(self) -> Iterator[dict[str, Any]]:
        """Every task by its id, with when it was changed and how many annotations it has; without its contents."""
        yield from self._pages({"include": "id,updated_at,total_annotations,cancelled_annotations"}, PAGE)

    def tasks_between(self, first: int, last: int) -> list[dict[str, Any]]:
        """The tasks with an id from `first` to `last`, whole."""
        condition = {"filter": "filter:tasks:id", "type": "Number", "operator": "in"}
        items = [{**condition, "value": {"min": first, "max": last}}]
        query = {"filters": {"conjunction": "and", "items": items}}
        return list(self._pages({"fields": "all", "query": json.dumps(query)}, last - first + 1))

    def tasks(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        """Some tasks, whole; those that are gone do not come."""
        query = {"selectedItems": {"all": False, "included": list(ids)}}
        return list(self._pages({"fields": "all", "query": json.dumps(query)}, len(ids)))

    def add_predictions(self, predictions: Sequence[Mapping[str, Any]]) -> int:
        """Add pre-annotations to tasks; returns how many were taken: those that do not fit are passed over there."""
        if not predictions:
            return 0
        path = f"/api/projects/{self.project}/import/predictions"
        found = self._asked("POST", path, body=list(predictions))
        return int(found.get("created", len(predictions))) if isinstance(found, dict) else len(predictions)

    def remove_prediction(self, prediction_id: int) -> None:
        """Take one away."""
        self._asked("DELETE", f"/api/predictions/{prediction_id}/", may_lack=True)

    def webhooks(self) -> list[dict[str, Any]]:
        """Whom the project tells what changes."""
        found = self._asked("GET", "/api/webhooks/", {"project": self.project})
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def add_webhook(self, said: Mapping[str, Any]) -> None:
        """Have the project tell somebody."""
        self._asked("POST", "/api/webhooks/", body={**said, "project": self.project})

    def remove_webhook(self, webhook_id: int) -> None:
        """Have it tell them no more."""
        self._asked("DELETE", f"/api/webhooks/{webhook_id}/", may_lack=True)

    def _pages(self, params: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
        number, num = 1, 0
        while True:
            asked = {"project": self.project, "page": number, "page_size": size, **params}
            found = self._asked("GET", "/api/tasks/", asked, may_lack=number > 1)
            if found is None:  # tasks were deleted since the page before
                return
            if not isinstance(found, dict) or not isinstance(found.get("tasks"), list):
                raise OptionsNotUsable(f"{self.name} gives no list of tasks.", hint="Is this Label Studio?")
            yield from found["tasks"]
            num += len(found["tasks"])
            if not found["tasks"] or num >= int(found.get("total") or 0):
                return
            number += 1

    def _asked(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        body: object = None,
        may_lack: bool = False,
    ) -> Any:
        """Raises OptionsNotUsable, SourceRefused, SourceSilent."""
        said, waits = "", WAITS_S if method != "POST" else ()  # what was added without an answer is not added again
        for wait_s in (0.0, *waits):
            if wait_s:
                self.wait(wait_s)
            try:
                return self._once(method, path, params or {}, body)
            except _NoAnswer as error:
                said = str(error)
            except _NotThere:
                if may_lack:
                    return None
                hint = "Take the number from the project's address: …/projects/NUMBER/data."
                raise OptionsNotUsable(f"{self.name} is not there.", hint=hint) from None
        hint = "See whether it runs and lets this machine in, then test the connection again."
        raise SourceSilent(f"{self.name} does not answer: {said}.", hint=hint)

    def _once(self, method: str, path: str, params: Mapping[str, Any], body: object) -> Any:
        if self._authorization is None:
            self._authorization = self._sign_in()
        status, content = self._sent(method, path, params, body, {"authorization": self._authorization})
        if status == 401 and self._is_refreshed:
            self._authorization = self._sign_in()
            status, content = self._sent(method, path, params, body, {"authorization": self._authorization})
        return self._understood(status, content)

    @property
    def _is_refreshed(self) -> bool:
        """Whether the token is of the kind for which a short-lived one is fetched: a personal access token."""
        return self.token.count(".") == 2

    def _sign_in(self) -> str:
        if not self._is_refreshed:
            return f"Token {self.token}"
        status, content = self._sent("POST", "/api/token/refresh/", {}, {"refresh": self.token}, {})
        found = self._understood(status, content)
        return f"Bearer {found.get('access', '') if isinstance(found, dict) else ''}"

    def _understood(self, status: int, content: bytes) -> Any:
        if status in _LATER:
            raise _NoAnswer(f"it says {status}")
        if status == 401:
            hint = "Make a token in Label Studio under Account & Settings, of somebody who may open the project."
            raise SourceRefused(f"{self.name} does not let this token in.", hint=hint)
        if status == 403:
            raise SourceRefused(f"{self.name} does not allow this to the token's owner: {_said(content)}.", hint=_MAY)
        if status == 404:
            raise _NotThere
        if 300 <= status < 400:
            raise OptionsNotUsable(
                f"{self.name} sends us elsewhere ({status}).", hint="Enter the address to which it leads, with https."
            )
        if status == 204 or (not content and status < 300):
            return None
        if status >= 400:
            raise OptionsNotUsable(f"{self.name} refuses this ({status}): {_said(content)}.")
        try:
            return json.loads(content)
        except ValueError:
            raise OptionsNotUsable(
                f"{self.name} answered something that is no JSON.", hint="Is this Label Studio's address?"
            ) from None

    def _sent(
        self, method: str, path: str, params: Mapping[str, Any], body: object, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        place = self.find()
        target = place.path.partition("?")[0].rstrip("/") + quote(path) + (f"?{urlencode(params)}" if params else "")
        content = json.dumps(body).encode() if body is not None else None
        own = {"host": place.host_header, "user-agent": "goldsmith", "accept": "application/json"}
        own |= {"content-type": "application/json"} if content is not None else {}
        with closing(Pinned(place, trusted() if place.is_encrypted else None, WITHIN_S)) as connection:
            try:
                connection.request(method, target, content, {**own, **headers})
                answer = connection.getresponse()
                found = answer.read(MAX_BYTES + 1)
            except ssl.SSLError as error:
                raise _NoAnswer(f"the connection cannot be trusted ({error.reason or 'no reason given'})") from None
            except (OSError, http.client.HTTPException) as error:
                raise _NoAnswer(type(error).__name__) from None
        if len(found) > MAX_BYTES:
            raise OptionsNotUsable(f"{self.name} answered with more than {MAX_BYTES:,} bytes at once.")
        return answer.status, found


def _said(content: bytes) -> str:
    """Why it refuses, as far as it says so in its own form; nothing of what anything else would say."""
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    said = (found.get("validation_errors") or found.get("detail")) if isinstance(found, dict) else None
    return str(said or "it does not say why")[:300].rstrip(".")


def refused_address(error: GoldsmithError) -> OptionsNotUsable:
    """Why an address may not be asked, with what to do."""
    hint = "Use https and a public host; a host of your own network has to be named in GOLDSMITH_WEBHOOK_HOSTS first."
    return OptionsNotUsable(f"The address cannot be used: {error.message}", hint=hint)
