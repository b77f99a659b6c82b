"""A template is a message without its values."""

from __future__ import annotations

from array import array

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog.rows._template import templates_of
from opslog.rows.template import templates

VALUE = r"""(?:\b[ub]|\B)(?:'[^'\n]*'|"[^"\n]*")\B|\w*\d\w*(?:[-.:]+\w+)*"""
TEXTS = st.text(st.sampled_from("ub'\"\n1a_-.: é日9") | st.characters(exclude_categories=["Cs"]))


@given(messages=st.lists(st.none() | TEXTS, max_size=9), start=st.integers(0, 3))
def test_a_template_is_what_the_pattern_leaves(messages: list[str | None], start: int) -> None:
    column = pa.array(messages, pa.string()).slice(min(start, len(messages)))
    found = templates(column)
    found.validate(full=True)
    assert found.equals(pc.replace_substring_regex(column, VALUE, "<*>"))


@pytest.mark.parametrize("ends", [[0], [0, 5], [1, 0], [-1, 0]])
def test_offsets_that_are_not_of_the_texts_are_refused(ends: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets"):
        templates_of(array("i", ends), b"abc", 1)


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("Took 0.30 seconds", "Took <*> seconds"),
        ("req-5f0f7c1e-2d3b-4a55-9c1e-0b7a4f2d8e61 done", "req-<*> done"),
        ("disk '/dev/vda' of \"x\" is full", "disk <*> of <*> is full"),
        ("it's Bob's host", "it's Bob's host"),
        ("{u'a': u'b', 'c': 1}", "{<*>: <*>, <*>: <*>}"),
        ("10.0.0.7:5672 and fe80::1%eth0 at 0xdeadBEEF", "<*> and <*>%<*> at <*>"),
        ("2026-03-10T10:00:07.791Z x=15995MB", "<*> x=<*>"),
        ("no values", "no values"),
        ("", ""),
        (None, None),
    ],
)
def test_a_template_is_a_message_without_its_values(
    message: str | None, template: str | None
) -> None:
    assert templates(pa.array([message], pa.string())).to_pylist() == [template]
