"""`goldsmith kept`: say what is kept, look at it, make a dataset of it, delete it."""

import time

from tests.unit.cli.conftest import Line

from goldsmith.serve.kept import service
from goldsmith.serve.kept.types import EVERYTHING, Exchange, Handed


def test_it_is_set_listed_made_into_a_dataset_and_deleted(line: Line) -> None:
    assert line.json("kept", "rules") == []
    assert line.json("kept", "set", "--share", "5", "--hide", "card") == {
        "alias": "",
        "share": 0.05,
        "days": 14,
        "hides": ["card"],
    }
    assert line.json("kept", "set", "--share", "5", "--hide-nothing")["hides"] == []
    assert line.json("kept", "rules")[0]["share"] == "5 %"
    answer = b'{"choices": [{"index": 0, "text": "Here."}]}'
    one = Exchange(
        "local",
        "per_1",
        EVERYTHING,
        "",
        "bm_1",
        "/v1/completions",
        b'{"prompt": "Where?"}',
        answer,
        False,
        5.0,
        time.time(),
    )
    with line.filling() as (session, _):
        service.store(session, Handed((one,)))
    assert line.json("kept", "list")[0]["question"] == "Where?"
    assert line.json("kept", "dataset", "--name", "asked")["dataset"].startswith("ds_")
    assert line.json("kept", "forget") == {"num_deleted": 1}
    code, problem = line.error("kept", "dataset")
    assert (code != 0, problem["type"]) == (True, "nothing-kept")
