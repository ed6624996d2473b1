"""The constants of the demo: what the prompt says, what an answer looks like, where the sample rows lie.

It knows nothing of runs, stars or training; `goldsmith demo` puts these pieces through the loop.

How the expected answers were chosen. The topic is what the customer wants something done about: a late refund for a
thing sent back belongs to returns, a wrong charge to billing, a rude driver to feedback. The urgency:

high    people or property are in danger, money is being lost right now, somebody is locked out with something at
        stake, or it must be done within two days
normal  something is wrong or has to be changed or answered for, and it can wait some days; a complaint is normal
low     a question, praise or an idea, with nothing wrong and no time pressure
"""

import csv
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

DATASET_NAME: Final = "support-messages"
TOPICS: Final = ("delivery", "billing", "returns", "account", "technical", "feedback")
URGENCIES: Final = ("low", "normal", "high")

SYSTEM_TEXT: Final = """\
Sort a customer's message. Answer as JSON: topic, urgency.
topic:
delivery: parcels coming
billing: charges, invoices
returns: giving back, exchange
account: login, profile
technical: faults, use of devices
feedback: praise, complaint, idea
urgency:
high: danger, money being lost now, locked out with something at stake, or due within two days
normal: a problem that can wait
low: question, praise, idea"""

PROMPT_TEMPLATE: Final = "{{message}}"

ANSWER_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "topic": {"type": "string", "enum": list(TOPICS)},
        "urgency": {"type": "string", "enum": list(URGENCIES)},
    },
    "required": ["topic", "urgency"],
    "additionalProperties": False,
}


def rows_path() -> Path:
    """Return the CSV file of 300 messages (columns: message, expected); it is package data, also in a wheel."""
    return Path(str(files("goldsmith.demo").joinpath("support_messages.csv")))


def expected() -> dict[str, str]:
    """Every message with the answer that it should get."""
    with rows_path().open(encoding="utf-8", newline="") as file:
        return {row["message"]: row["expected"] for row in csv.DictReader(file)}
