"""Orders are known by what they ask."""

from dataclasses import replace

from goldsmith.connect.executions.types import Order

ORDER = Order("e", ("a", "b", "a"), "m")


def test_the_same_order_has_the_same_fingerprint_and_another_one_another() -> None:
    assert ORDER.fingerprint == Order("e", ["a", "b", "a"], "m").fingerprint
    assert ORDER.fingerprint != replace(ORDER, temperature=0.1).fingerprint


def test_a_person_s_own_domain_goes_before_what_was_sent() -> None:
    assert ORDER.wanted(domain=None, is_tuned=False).candidate_ids == ["a", "b"]
    assert replace(ORDER, domain="x").wanted(domain=None, is_tuned=True).domain == "x"
    assert replace(ORDER, domain="x").wanted(domain="own", is_tuned=True).domain == "own"
