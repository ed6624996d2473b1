"""A bucket that speaks as much of S3's protocol as we need: list, get, put; signed or refused."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ACCESS_KEY = "reader"
ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>b</Name><Prefix></Prefix><KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys>"
    "<IsTruncated>false</IsTruncated>{objects}</ListBucketResult>"
)


class Bucket:
    """Objects by name, and what was asked."""

    def __init__(self, name: str = "exports") -> None:
        self.name = name
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = ""
        self.is_read_only = False


def tag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


class _Answers(BaseHTTPRequestHandler):
    bucket: Bucket

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.bucket.asked.append(self.path)
        name, _, key = unquote(parts.path).lstrip("/").partition("/")
        if f"Credential={ACCESS_KEY}/" not in self.headers.get("authorization", ""):
            self._say(403, b"<Error><Code>AccessDenied</Code></Error>")
        elif name != self.bucket.name:
            self._say(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif not key:
            self._list(parse_qs(parts.query).get("prefix", [""])[0])
        elif key in self.bucket.objects:
            self._say(200, self.bucket.objects[key])
        else:
            self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.bucket.asked.append(f"PUT {self.path}")
        if self.bucket.is_read_only or f"Credential={ACCESS_KEY}/" not in self.headers.get("authorization", ""):
            self._say(403, b"<Error><Code>AccessDenied</Code></Error>")
            return
        key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]
        self.bucket.objects[key] = content
        self._say(200, b"", tag(content))

    def _list(self, prefix: str) -> None:
        found = {key: content for key, content in sorted(self.bucket.objects.items()) if key.startswith(prefix)}
        objects = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(tag(content))}</ETag><Size>{len(content)}</Size></Contents>"
            for key, content in found.items()
        )
        self._say(200, ANSWER.format(count=len(found), objects=objects).encode())

    def _say(self, status: int, content: bytes, its_tag: str = "") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.send_header("etag", its_tag or tag(content))
        self.send_header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Bucket]:
    """A bucket behind an address of this machine."""
    bucket = Bucket()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answers", (_Answers,), {"bucket": bucket}))
    bucket.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
