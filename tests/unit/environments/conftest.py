"""A package index on loopback with tiny wheels, and an empty environment that is made once."""

import base64
import hashlib
import io
import shutil
import site
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from goldsmith.environments.pip import Sources
from goldsmith.environments.types import Pin


class _Quiet(SimpleHTTPRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the requests are those of pip."""


def make_wheel(folder: Path, name: str, version: str, *, content: str = "") -> str:
    """Put a wheel of one module into an index's folder; returns its SHA-256."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": content or f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{_record_hash(text)},{len(text)}\n" for path, text in files.items())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), record + f"{info}/RECORD,,\n")
    wheel = f"{name}-{version}-py3-none-any.whl"
    page = folder / "simple" / name
    page.mkdir(parents=True, exist_ok=True)
    (page / wheel).write_bytes(packed.getvalue())
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    with (page / "index.html").open("a") as links:
        links.write(f'<a href="{quote(wheel)}#sha256={digest}">{wheel}</a>\n')
    return digest


def _record_hash(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


@dataclass(frozen=True)
class FakeIndex:
    """A served index."""

    folder: Path
    url: str

    def add(self, name: str, version: str, *, content: str = "") -> Pin:
        """Offer a tiny wheel; returns the line of a lock that asks for exactly it."""
        return Pin(name, version, (make_wheel(self.folder, name, version, content=content),))


@contextmanager
def serve(folder: Path) -> Iterator[FakeIndex]:
    """Serve an index's folder on loopback."""
    (folder / "simple").mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield FakeIndex(folder, f"http://127.0.0.1:{server.server_address[1]}/simple")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[FakeIndex]:
    """The index that pip is set up to ask."""
    with serve(tmp_path / "index") as served:
        yield served


@pytest.fixture
def second_index(tmp_path: Path) -> Iterator[FakeIndex]:
    """The index that pip does not know by itself."""
    with serve(tmp_path / "second") as served:
        yield served


@pytest.fixture
def sources(index: FakeIndex, second_index: FakeIndex, tmp_path: Path) -> Sources:
    """A pip that knows nothing but the first index."""
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": index.url,
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "1",
        "PIP_TIMEOUT": "5",
    }
    return Sources(torch_index_url=second_index.url, env=env)


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with pip; ours is copied, because unpacking a fresh one takes seconds."""
    place = tmp_path_factory.mktemp("environment") / "env"
    ours = [Path(folder) for folder in site.getsitepackages() if (Path(folder) / "pip").is_dir()]
    subprocess.run([sys.executable, "-I", "-m", "venv", *(["--without-pip"] if ours else []), place], check=True)
    if ours:
        site_packages = next((place / "lib").glob("python3.*/site-packages"))
        for folder in ours[0].glob("pip*"):
            shutil.copytree(folder, site_packages / folder.name)
    return place / "bin" / "python"


@pytest.fixture
def quick_python(python: Path, tmp_path: Path) -> Path:
    """A stand-in for Python that, asked for a virtual environment, copies the one that was made once."""
    stand_in = tmp_path / "python"
    stand_in.write_text(f'#!/bin/sh\nfor place; do :; done\nexec cp -a "{python.parent.parent}" "$place"\n')
    stand_in.chmod(0o700)
    return stand_in
