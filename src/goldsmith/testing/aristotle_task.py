"""A task in Aristotle's shape that a small model can learn: candidate in, evaluation out, by two rules and no others.

- Who is no engineer is no engineer, and gets a No.
- An engineer gets a Yes, and one who leads a Strong Yes.

Company and school say nothing. Which of the three shapes of `data` a conquest has follows from how it asks, so the
form of its answer can be learned, too. The example and a benchmark use it.
"""

import random
from typing import Any

LEVELS = ("junior", "senior", "lead")
PROFESSIONS = ("engineer", "designer")


def screening(number: int, *, seed: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
    """A made-up candidate's prompt and the evaluation that follows from it; the same for a number."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311  # made-up people, no secrets
    level, profession = chance.choice(LEVELS), chance.choice(PROFESSIONS)
    company, school = chance.choice(("Northwind", "Contoso", "Initech")), chance.choice(("Uppsala", "Delft", "Bergen"))
    name, role = f"Candidate {number}", f"{level} {profession}"
    is_engineer = profession == "engineer"
    recommendation = ("Strong Yes" if level == "lead" else "Yes") if is_engineer else "No"
    evaluation = {"recommendation": recommendation, "is_software_engineer": is_engineer}
    profile = {
        "name": name,
        "current_role": role,
        "current_company": company,
        "education": school,
        "work_history": [],
    }
    told = f"{name} is a {role} at {company} and studied in {school}."
    shapes: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
        ({"prompt": f"{told} Right for us, in a line?"}, {"response": f"{recommendation}: {role}."}),
        ({"prompt": f"{told} Right for us?"}, {"evaluation": evaluation}),
        (profile, {"evaluation": evaluation}),
    )
    return shapes[number % len(shapes)]
