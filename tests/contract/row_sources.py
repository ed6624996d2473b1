"""The outside worlds that our own kinds of source read: files, objects of a bucket, a table, tasks."""

import csv
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests import label_studio_stand_in
from tests.s3_stand_in import ACCESS_KEY, serving

from goldsmith.connect.sources.buckets import Buckets
from goldsmith.connect.sources.folder import Folder
from goldsmith.connect.sources.label_studio import LabelStudioKind
from goldsmith.connect.sources.sql import Sql
from goldsmith.connect.sources.types import SourceKind
from goldsmith.testing.contracts.sources import Rows, Stand


class Files(Stand):
    """A folder with two files."""

    kind: SourceKind = Folder()

    def put(self, rows: Rows) -> None:
        for name in ("a.csv", "b.jsonl"):
            path = self.folder / "outside" / name
            mine = {key: row for key, row in rows.items() if (int(key) % 2 == 1) == (name == "a.csv")}
            _write(path, mine)

    def options(self) -> dict[str, Any]:
        return {"path": str(self.folder / "outside"), "id_column": "id"}

    def wrong_options(self) -> dict[str, Any]:
        return {"path": str(self.folder / "elsewhere")}


class Objects(Files):
    """The same files as objects of a bucket behind S3's protocol."""

    kind = Buckets()

    def __init__(self, folder: Path, *, by_change: bool = False) -> None:
        super().__init__(folder, by_change=by_change)
        self._serving = serving()
        self.bucket = self._serving.__enter__()

    def put(self, rows: Rows) -> None:
        super().put(rows)
        self.bucket.objects = {path.name: path.read_bytes() for path in (self.folder / "outside").iterdir()}

    def options(self) -> dict[str, Any]:
        place = {"bucket": self.bucket.name, "endpoint": self.bucket.url}
        return {**place, "access_key": ACCESS_KEY, "secret_key": "s3cret-word", "id_column": "id"}

    def wrong_options(self) -> dict[str, Any]:
        return {"bucket": "elsewhere"}

    def close(self) -> None:
        self._serving.__exit__(None, None, None)


class Labelled(Stand):
    """Tasks of a project of Label Studio."""

    kind = LabelStudioKind()

    def __init__(self, folder: Path, *, by_change: bool = False) -> None:
        super().__init__(folder, by_change=by_change)
        self._serving = label_studio_stand_in.serving()
        self.studio = self._serving.__enter__()

    def put(self, rows: Rows) -> None:
        for gone in set(self.studio.tasks) - set(map(int, rows)):
            del self.studio.tasks[gone]
        for key, row in rows.items():
            self.studio.put(int(key), **row)

    def options(self) -> dict[str, Any]:
        place = {"address": self.studio.url, "project": label_studio_stand_in.PROJECT}
        return {**place, "token": label_studio_stand_in.TOKEN}

    def wrong_options(self) -> dict[str, Any]:
        return {"project": 8}

    def close(self) -> None:
        self._serving.__exit__(None, None, None)


class Database(Stand):
    """A table in a file of SQLite."""

    kind = Sql()

    def put(self, rows: Rows) -> None:
        with sqlite3.connect(self.folder / "outside" / "shop.db") as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS tickets"
                " (id INTEGER PRIMARY KEY, question TEXT, answer TEXT, changed INTEGER)"
            )
            known = {str(row[0]): row[1:] for row in connection.execute("SELECT * FROM tickets")}
            last = max((row[2] for row in known.values()), default=0)
            for key in set(known) - set(rows):
                connection.execute("DELETE FROM tickets WHERE id = ?", (key,))
            for key, row in rows.items():
                new = (row["question"], row["answer"])
                if known.get(key, ())[:2] != new:
                    last += 1
                    connection.execute("INSERT OR REPLACE INTO tickets VALUES (?, ?, ?, ?)", (key, *new, last))
        connection.close()

    def options(self) -> dict[str, Any]:
        address = f"sqlite:///{self.folder / 'outside' / 'shop.db'}"
        query = "SELECT id, question, answer, changed FROM tickets; -- all of them"
        changed = {"changed_column": "changed"} if self.by_change else {}
        return {"address": address, "query": query, "id_column": "id", **changed}

    def wrong_options(self) -> dict[str, Any]:
        return {"query": "SELECT id FROM nothing"}


def _write(path: Path, rows: Rows) -> None:
    if not rows:
        path.unlink(missing_ok=True)
        return
    lines: Sequence[dict[str, str]] = [{"id": key, **row} for key, row in rows.items()]
    with path.open("w", newline="", encoding="utf-8") as file:
        if path.suffix == ".csv":
            writer = csv.DictWriter(file, ["id", "question", "answer"])
            writer.writeheader()
            writer.writerows(lines)
        else:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
