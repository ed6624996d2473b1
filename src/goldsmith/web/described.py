"""What the API's description says beyond the bodies: how errors are told, what is under way, which files come.

`problems.py` tells errors in these forms; a test holds every route to them.
"""

from collections.abc import Mapping
from typing import Any, Final

from goldsmith.web.faces import Face

Responses = dict[int | str, dict[str, Any]]

_TEXT: Final = {"type": "string"}
_PROBLEM: Final = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail", "instance", "hint"],
    "properties": {
        **dict.fromkeys(("type", "title", "detail", "instance", "hint", "reference"), _TEXT),
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": {"type": "object", "properties": {"where": _TEXT, "message": _TEXT}}},
    },
}
_NULLABLE: Final = {"type": ["string", "null"]}
_OPENAI_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {"message": _TEXT, "type": _TEXT, "param": _NULLABLE, "code": _NULLABLE},
        }
    },
}


def _errors(media_type: str, schema: Mapping[str, Any]) -> Responses:
    content = {media_type: {"schema": schema}}
    return {
        "4XX": {"description": "It cannot be done; what is wrong, and what to do.", "content": content},
        "5XX": {"description": "A part does not answer; what to do.", "content": content},
    }


ERRORS: Final[Mapping[Face, Responses]] = {
    Face.API: _errors("application/problem+json", _PROBLEM),
    Face.EMBED: _errors("application/problem+json", _PROBLEM),
    Face.HOOK: _errors("application/problem+json", _PROBLEM),
    Face.OPENAI: _errors("application/json", _OPENAI_ERROR),
    Face.PAGE: {},
}
"""By the face of a router: what each of its routes may answer when something goes wrong."""


def under_way(model: type) -> Responses:
    """For a route that may answer before the work is done."""
    return {202: {"model": model, "description": "Under way; Location says where one sees how it goes on."}}


def files(*media_types: str) -> Responses:
    """For a route that answers with a file."""
    form = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "The file.", "content": dict.fromkeys(media_types, form)}}
