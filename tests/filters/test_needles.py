"""Which texts a record must hold, whatever spelling says so."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from opslog import F
from opslog.filters.filter import Filter, evaluate
from opslog.filters.needles import COLUMNS, Needles
from opslog.model import schema
from opslog.scanner.catalog import shipped

ID = "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce"
OTHER = "req-0b8d7f4e-31c5-4f6a-9d5e-6a2f8c1b7e90"


def sets(*texts: set[str]) -> Needles:
    return tuple(frozenset(text.encode() for text in some) for some in texts)


@pytest.mark.parametrize(
    ("condition", "needles"),
    [
        (F.request_id == ID, sets({ID})),
        (pc.field("request_id") == ID, sets({ID})),
        (f"request_id = '{ID}'", sets({ID})),
        ((F.request_id == ID) & (F.severity >= "ERROR"), sets({ID})),
        (f"severity >= ERROR and request_id = '{ID}' and body ~ 'no +more'", sets({ID})),
        (f"resource_id = '{OTHER}' and request_id = '{ID}'", sets({OTHER}, {ID})),
        ((F.request_id == ID) | (F.global_request_id == OTHER), sets({ID, OTHER})),
        (F.request_id.isin([ID, OTHER]), sets({ID, OTHER})),
        (f"user_id in ('{ID}', 'joe')", sets({ID, "joe"})),
        (f"request_id = '{ID}' or severity >= ERROR", ()),
        (f"not request_id = '{ID}'", ()),
        (F.request_id != ID, ()),
        (F.user_id == "a b", ()),
        (F.user_id == 'a"b', ()),
        (F.service_name == "nova", ()),
        # pyarrow shows patterns and lists without escapes: these look like other conditions.
        (F.body.contains(f'", ignore_case=false}}), false) and coalesce((request_id == "{ID}'), ()),
        ((F.request_id == ID) & F.body.contains('")'), sets({ID})),
        (
            F.request_id.isin(
                ["A\"\n], null_matching_behavior=MATCH}), false) and coalesce(f('", "C"]
            )
            & (F.user_id == 'x"y'),
            (),
        ),
        (pc.field("request_id") == pa.scalar(ID.encode()), ()),
        (pc.field("request_id").isin(pa.array([ID, None])), ()),
        (pc.scalar(ID) == pc.field("user_id"), sets({ID})),
        (pc.coalesce(pc.field("user_id") == ID, pc.scalar(True)), ()),
        ((F.request_id == ID) & (F.body == '")) and (('), sets({ID})),
        (
            F.request_id.isin([f"{ID}{number}" for number in range(99)]),
            sets({f"{ID}{number}" for number in range(99)}),
        ),
    ],
    ids=lambda value: None if isinstance(value, tuple) else str(value),  # a set has no order
)
def test_the_needles_of_a_condition(condition: pc.Expression | str, needles: Needles) -> None:
    assert Filter.of(condition).needles == needles


@pytest.mark.parametrize("column", COLUMNS)
def test_values_of_these_columns_stand_in_the_record(column: str) -> None:
    """Layouts that state a value are known to the engine."""
    seen = 0
    for one in shipped():
        for sample in one.samples:
            batches = opslog.Normalizer(original=True)
            for batch in batches.feed(sample.text.encode()) + batches.close():
                for row in batch.select([column, "original", "format"]).to_pylist():
                    if row[column] is not None:
                        seen += 1
                        assert row[column].encode() in row["original"], (one.name, row)
    assert seen


texts = st.sampled_from(
    [ID, OTHER, "joe", "a b", '"', '") and (request_id == "', "...", "\\", "\n", "}"]
)
leaves = st.one_of(
    st.builds(lambda column, text: F[column] == text, st.sampled_from(COLUMNS), texts),
    st.builds(lambda column, some: F[column].isin(some), st.sampled_from(COLUMNS), st.lists(texts, max_size=12)),
    st.builds(lambda text: F.body.contains(text), texts),
    st.builds(lambda text: F.body == text, texts),
    st.just(F.severity >= "ERROR"),
)  # fmt: skip
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=6,
)


@given(conditions, st.dictionaries(st.sampled_from([*COLUMNS, "body"]), texts))
def test_a_record_without_a_needle_is_not_kept(
    condition: pc.Expression, values: dict[str, str]
) -> None:
    found = Filter.of(condition)
    columns = [pa.array([values.get(name)], pa.string()).cast(schema.BY_NAME[name].type)
               if name in values else pa.nulls(1, schema.BY_NAME[name].type)
               for name in found.columns]  # fmt: skip
    batch = pa.RecordBatch.from_arrays(columns, list(found.columns))
    if evaluate(found.expression, batch)[0].as_py():
        held = "\n".join(values.values()).encode()
        assert all(any(text in held for text in some) for some in found.needles)
