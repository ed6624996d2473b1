"""A key for an engine or a provider, as pages and the API take it: a secret that no page, log or answer shows again."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr


def _usable_key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if not (1 <= len(text) <= 2000 and text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("a key has 1 to 2,000 printable ASCII characters, and no blank")
    return key


EngineKey = Annotated[SecretStr, AfterValidator(_usable_key)]
