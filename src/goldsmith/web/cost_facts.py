"""What work cost, as facts of a page. Nothing is shown where nobody has given a price."""

from goldsmith.jobs.costs import Cost
from goldsmith.web import format as formats

Fact = tuple[str, str, str]


def cost_facts(cost: Cost) -> tuple[Fact, ...]:
    """Money and energy: a name, a number with its unit, what it is of."""
    of = f"{formats.duration(cost.machine_s)} of work" if cost.machine_s else ""
    usd = (("Cost", formats.money(cost.usd), of),) if cost.usd is not None else ()
    kwh = (("Energy", f"{cost.kwh:.3g} kWh", of),) if cost.kwh is not None else ()
    return (*usd, *kwh)
