"""A person who opens pages, finds what each page offers (filters, sorts, searches, next pages), and asks for it.

What a page offers is read from the page: links to itself with another query, and forms that search.
"""

import http.client
import time
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

PLACES = {"after", "before", "at"}
"""Parts of an address that say where in a list one is: one of each is enough."""
MAX_OFFERS = 60


class Browser:
    """One connection that stays open, with the cookie of a person."""

    def __init__(self, port: int, name: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"accept": "text/html", "origin": f"http://127.0.0.1:{port}"}
        form = {"content-type": "application/x-www-form-urlencoded"}
        self._http.request("POST", "/hello", urlencode({"name": name}), {**self.headers, **form})
        answer = self._http.getresponse()
        answer.read()
        self.headers["cookie"] = (answer.headers["set-cookie"] or "").partition(";")[0]

    def get(self, address: str) -> tuple[int, str, float]:
        """Status, text, and milliseconds until the last byte was here."""
        try:
            return self._get(address)
        except (http.client.RemoteDisconnected, ConnectionError):
            self._http.close()  # the server closes what was idle for some seconds; the next request connects anew
            return self._get(address)

    def _get(self, address: str) -> tuple[int, str, float]:
        began = time.perf_counter()
        self._http.request("GET", address, headers=self.headers)
        answer = self._http.getresponse()
        body = answer.read()
        return answer.status, body.decode(errors="replace"), (time.perf_counter() - began) * 1000

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class _Offers(HTMLParser):
    """Addresses that a page links to, and its forms that ask."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self._words = words
        self._form: tuple[str, dict[str, str]] | None = None
        self._searches: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.addresses.append(given.get("href", ""))
        elif tag == "form" and given.get("method", "get").lower() == "get":
            self._form, self._searches = (given.get("action", ""), {}), []
        elif tag == "input" and self._form is not None:
            if given.get("type") == "search":
                self._searches.append(given["name"])
            elif given.get("type") == "hidden":
                self._form[1][given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            action, hidden = self._form
            asked = [{**hidden, name: word} for name in self._searches for word in self._words]
            self.addresses += [f"{action}?{urlencode(query)}" for query in asked]
            self._form = None


def offers(browser: Browser, address: str, words: Sequence[str]) -> Iterator[str]:
    """The page, and everything of the same path that it and what follows from it offer; nothing if it leads elsewhere.

    Raises RuntimeError when one fails.
    """
    path, seen, waiting = urlsplit(address).path, {_kind(address)}, [address]
    while waiting and len(seen) <= MAX_OFFERS:
        current = waiting.pop(0)
        status, text, _ = browser.get(current)
        if status == 303 and current == address:
            return
        if status != 200:
            raise RuntimeError(f"{current} answered {status}")
        yield current
        found = _Offers(words)
        found.feed(text)
        for offered in (each.partition("#")[0] for each in found.addresses):
            if urlsplit(offered).path == path and _kind(offered) not in seen:
                seen.add(_kind(offered))
                waiting.append(offered)


def _kind(address: str) -> tuple[tuple[str, str], ...]:
    pairs = parse_qsl(urlsplit(address).query)
    chosen = [(name, value) for name, value in pairs if name not in PLACES]
    return tuple(sorted(chosen or {(name, "") for name, _ in pairs}))
