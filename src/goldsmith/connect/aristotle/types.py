"""The words of Aristotle: generations of its database, types and results of conquests."""

from enum import StrEnum

from goldsmith.connect.errors import ConquestTypeUnknown


class Generation(StrEnum):
    """Which of its three schemas the database has."""

    V1 = "V1"
    V2 = "V2"
    V3 = "V3"


class ConquestType(StrEnum):
    """What a conquest is about."""

    CANDIDATE = "CANDIDATE"
    CARTOGRAPHER = "CARTOGRAPHER"
    CV_PARSING = "CV_PARSING"
    SLACK_ANALYSIS = "SLACK_ANALYSIS"
    EMAIL_RESPONSE = "EMAIL_RESPONSE"
    EIDOS_DISCOVERY = "EIDOS_DISCOVERY"
    CUSTOM = "CUSTOM"


_OTHER_NAMES = {
    "CANDIDATE_EVALUATION": ConquestType.CANDIDATE,
    "CAREER_MAPPING": ConquestType.CARTOGRAPHER,
    "EMAIL_EVALUATION": ConquestType.EMAIL_RESPONSE,
    "OUTREACH_EMAIL": ConquestType.EMAIL_RESPONSE,
}


def plain_type(name: str) -> str:
    """The type as Aristotle's newer tables spell it: `candidate_evaluation` → `CANDIDATE`; others in capitals."""
    capitals = name.strip().upper().replace("-", "_").replace(" ", "_")
    return _OTHER_NAMES.get(capitals, ConquestType(capitals) if capitals in list(ConquestType) else capitals)


def wanted_type(name: str | None) -> str | None:
    """The type that somebody asks for. Raises ConquestTypeUnknown."""
    if name is None:
        return None
    found = plain_type(name)
    if found not in list(ConquestType):
        known = ", ".join(ConquestType)
        raise ConquestTypeUnknown(f"There is no type of conquest {name[:100]!r}. There are: {known}.")
    return found
