from goldsmith.jobs.costs import Cost
from goldsmith.web.cost_facts import cost_facts


def test_nothing_is_said_where_no_price_was_given() -> None:
    assert cost_facts(Cost(machine_s=100)) == ()


def test_money_and_energy_are_said_with_their_units() -> None:
    assert cost_facts(Cost(usd=0.5, kwh=0.0123, machine_s=3600)) == (
        ("Cost", "$0.50", "1 h of work"),
        ("Energy", "0.0123 kWh", "1 h of work"),
    )
