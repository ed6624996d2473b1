"""Whatever is handed in as a chat, the answer is a sentence and never a crash."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldsmith.models.chats import check_chat
from goldsmith.models.errors import ChatNotUsable

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("user"),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["role", "content", "name"]), inner),
    max_leaves=8,
)


@settings(database=None, deadline=None)
@given(anything)
def test_anything_else_than_a_chat_is_refused(value: Any) -> None:
    with suppress(ChatNotUsable):  # anything else would be a crash
        check_chat(value)
        assert all(isinstance(message["content"], str) for message in value)


def test_a_system_message_and_an_empty_text_are_fine() -> None:
    check_chat([{"role": "system", "content": ""}, {"role": "user", "content": "x"}])


def test_an_unhashable_role_is_refused() -> None:
    with pytest.raises(ChatNotUsable, match="role"):
        check_chat([{"role": ["user"], "content": "x"}])
