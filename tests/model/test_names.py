"""The same rows under every spelling of the columns' names."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

import opslog as library
from helpers import ROOT, opslog
from opslog.model import schema
from opslog.model.errors import OpslogError
from opslog.model.names import _SPELLINGS, SPELLINGS, spelled

LOG = ROOT / "docs" / "examples" / "nova-compute.log"
COLUMNS = schema.names(original=True)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_names_every_column_once(spelling: str) -> None:
    assert set(_SPELLINGS[spelling]) <= set(COLUMNS)
    names = spelled(COLUMNS, spelling)
    assert len(set(names)) == len(names) == len(COLUMNS)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_name_is_an_object_for_another(spelling: str) -> None:
    # Elasticsearch takes `a.b` as a field of `a` and refuses a value of `a` beside it.
    names = spelled(COLUMNS, spelling)
    assert not [(a, b) for a in names for b in names if b.startswith(a + ".")]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_json_lines_differ_in_names_only(spelling: str) -> None:
    plain = opslog("filter", "--original", str(LOG)).stdout
    wanted = [
        dict(zip(spelled(row, spelling), row.values(), strict=True))
        for row in map(json.loads, plain.splitlines())
    ]
    found = opslog("filter", "--original", "--names", spelling, str(LOG)).stdout
    assert [json.loads(line) for line in found.splitlines()] == wanted
    assert [list(json.loads(line)) for line in found.splitlines()] == [list(row) for row in wanted]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_parquet_and_arrow_differ_in_names_only(spelling: str, tmp_path: Path) -> None:
    wanted = library.read(LOG).to_table().rename_columns(spelled(schema.names(), spelling))
    for suffix in ("parquet", "arrow"):
        path = tmp_path / f"x.{suffix}"
        opslog("filter", "--names", spelling, "-o", str(path), str(LOG))
        if suffix == "parquet":
            found = pa.parquet.read_table(path)
            columns = pa.parquet.ParquetFile(path).metadata.row_group(0)
            encodings = {
                column.path_in_schema: "RLE_DICTIONARY" in column.encodings
                for column in map(columns.column, range(columns.num_columns))
            }
            assert encodings[spelled(["service_name"], spelling)[0]]
            assert not encodings[spelled(["body"], spelling)[0]]
        else:
            found = pa.ipc.open_stream(path).read_all()
        assert found.to_pylist() == wanted.to_pylist()
        assert found.schema.metadata[b"opslog.schema"] == schema.VERSION.encode()


def test_an_unknown_spelling_is_an_error_that_names_the_others() -> None:
    with pytest.raises(OpslogError) as caught:
        spelled(["body"], "gelf")
    assert str(caught.value) == "unknown names 'gelf': expected one of opslog, otel, ecs, kolla"
