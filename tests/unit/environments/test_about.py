"""What is said of an installation names neither the machine nor a place."""

import json
from pathlib import Path

from goldsmith.environments import machine
from goldsmith.environments.about import about


def test_it_says_versions_and_the_machine_and_names_nothing(tmp_path: Path) -> None:
    facts = machine.look()
    found = about(facts, home=tmp_path, database="sqlite")
    assert found["num_cores"] == facts.num_cores
    assert {one["status"] for one in found["environments"]} == {"missing"}
    told = json.dumps(found)
    assert str(tmp_path) not in told
    assert facts.name not in told
