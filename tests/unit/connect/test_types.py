"""What was left out is counted by reason."""

from goldsmith.connect.types import LEFT_OUT, Fetched, LeftOut


def test_counts_name_only_what_there_is() -> None:
    assert Fetched().counts == {}
    found = Fetched(left_out=[LeftOut(str(number), reason) for number, reason in enumerate(["no_answer", *LEFT_OUT])])
    assert found.counts == {**dict.fromkeys(LEFT_OUT, 1), "no_answer": 2}
