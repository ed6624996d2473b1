"""How one example of a training set is written, one format per file; each gives a line of JSON without its end.

>>> FORMATS[SetFormat.openai]([{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}])
'{"messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]}'
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from goldsmith.stars.formats import alpaca, chatml, openai
from goldsmith.stars.types import Message, SetFormat

FORMATS: Final[Mapping[SetFormat, Callable[[Sequence[Message]], str]]] = MappingProxyType(
    {
        SetFormat.chatml: chatml.render,
        SetFormat.alpaca: alpaca.render,
        SetFormat.openai: openai.render,
    }
)
