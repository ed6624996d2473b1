"""A plan's part is kept with the job and read again as it was."""

import json

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.connect.openai.types import Part, PartKind
from goldsmith.data.types import Upload

uploads = st.builds(Upload, st.text(max_size=9), st.text(max_size=9), st.integers(0, 2**40))
parts = st.builds(
    Part,
    st.sampled_from(PartKind),
    st.text(max_size=9),
    st.dictionaries(st.sampled_from(["learn", "exam", "rows"]), st.tuples(uploads)),
    st.text(max_size=9),
    st.lists(st.text(max_size=9), max_size=3).map(tuple),
    st.none() | st.text(max_size=9),
    st.booleans(),
)


@given(parts)
def test_nothing_of_it_is_lost(part: Part) -> None:
    assert Part.from_dict(json.loads(json.dumps(part.to_dict()))) == part
