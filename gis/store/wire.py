"""Rows between a table and a frame, both ways in PostgreSQL's binary form.

Reading takes half the time of the text form; writing is COPY from Arrow, six times as fast as inserts, with the
geometry as EWKB.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, LiteralString

import geopandas as gpd
import numpy as np
import pandas as pd
import pgpq
import psycopg
import pyarrow as pa
import shapely
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql as pg

from gis.contract.frame import Column, FrameSpec, Kind
from gis.crs import LONLAT
from gis.store.spatial import SRID

EPOCH: Final = dt.date(1970, 1, 1)
CURSOR: Final = "wangge_rows"
BINARY: Final[sa.Dialect] = pg.psycopg.dialect()  # type: ignore[no-untyped-call]

ARROW_TYPES: Final[Mapping[Kind, pa.DataType]] = MappingProxyType(
    {
        "text": pa.string(),
        "code": pa.string(),
        "integer": pa.int64(),
        "real": pa.float64(),
        "boolean": pa.bool_(),
        "instant": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
    }
)

COPY: Final[LiteralString] = "COPY {} ({}) FROM STDIN (FORMAT BINARY)"
"""COPY has no form in SQLAlchemy; table and columns are filled in as quoted identifiers."""
WAITING: Final[LiteralString] = "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
ADMITTED: Final[LiteralString] = "INSERT INTO {} ({}) SELECT {} FROM {}"


def read(
    connection: sa.Connection,
    spec: FrameSpec,
    table: sa.Table,
    *where: sa.ColumnElement[bool],
    only: Collection[str] | None = None,
) -> gpd.GeoDataFrame:
    """Return the rows of a table as the contract describes them; of all its columns, or `only` some and the geometry.

    Returns
    -------
    GeoDataFrame (n,) in EPSG:4326, sorted by the index, which is the table's ``id``. Instants are UTC, dates have day
    precision, counts may be missing (``Int64``).
    """
    wanted = [column for column in spec.columns if only is None or column.name in only]
    return _frame(fetch(connection, _query(wanted, table, *where)), wanted)


def read_parts(
    connection: sa.Connection,
    spec: FrameSpec,
    table: sa.Table,
    *where: sa.ColumnElement[bool],
    values: Mapping[str, object],
    only: Collection[str] | None = None,
    part_rows: int,
) -> Iterator[gpd.GeoDataFrame]:
    """Yield the rows of `read` part by part, from a cursor that the server keeps: at least one part, if an empty one.

    All parts are of one moment: of the statement's own snapshot.

    Parameters
    ----------
    values
        Of the parameters in `where`.
    """
    wanted = [column for column in spec.columns if only is None or column.name in only]
    compiled = _query(wanted, table, *where).compile(dialect=BINARY)
    driver: psycopg.Connection[tuple[Any, ...]] = connection.connection.driver_connection  # type: ignore[assignment]
    with driver.cursor(CURSOR, binary=True) as cursor:
        cursor.execute(str(compiled).encode(), compiled.construct_params(dict(values)))
        rows = cursor.fetchmany(part_rows)
        yield _frame(rows, wanted)
        while len(rows) == part_rows and (rows := cursor.fetchmany(part_rows)):
            yield _frame(rows, wanted)


def _query(wanted: Sequence[Column], table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    columns = (_ON_THE_WIRE[column.kind](table.c[column.name]) for column in wanted)
    return sa.select(table.c.id, *columns, sa.func.ST_AsBinary(table.c.geom)).where(*where).order_by(table.c.id)


def _frame(rows: Sequence[tuple[Any, ...]], wanted: Sequence[Column]) -> gpd.GeoDataFrame:
    keys, *values, shapes = zip(*rows, strict=True) if rows else ((),) * (len(wanted) + 2)
    index = pd.Index(np.array(keys, dtype=np.int64), name="id")
    found = {
        column.name: pd.Series(_FROM_THE_WIRE[column.kind](list(have), column.required), index=index)
        for column, have in zip(wanted, values, strict=True)
    }
    geometry = gpd.GeoSeries(shapely.from_wkb(np.array(shapes, dtype=object)), index=index, crs=LONLAT)
    return gpd.GeoDataFrame(found, geometry=geometry, index=index)


def arrow(spec: FrameSpec, frame: gpd.GeoDataFrame) -> dict[str, pa.Array]:
    """Return those columns of the contract that a frame has, and its geometry as ``geom``; each (n,)."""
    columns = {column.name: _arrow(column, frame) for column in spec.columns if column.name in frame.columns}
    shapes = shapely.set_srid(frame.geometry.to_numpy(), SRID)
    columns["geom"] = pa.array(shapely.to_wkb(shapes, include_srid=True, output_dimension=2), pa.binary())
    return columns


def copy(connection: sa.Connection, table: sa.Table, columns: Mapping[str, pa.Array]) -> None:
    """Append columns (n,) to a table by binary COPY, in the connection's own transaction.

    COPY cannot fill a table under row-level security; see `insert`.
    """
    name = sql.Identifier(table.schema, table.name) if table.schema else sql.Identifier(table.name)
    _copy(connection, name, columns)


def insert(connection: sa.Connection, table: sa.Table, columns: Mapping[str, pa.Array]) -> None:
    """Append columns (n,) to a table under row-level security: COPY into a table of the transaction's own, and on."""
    name, waiting = sql.Identifier(table.schema or "public", table.name), sql.Identifier("pg_temp", "waiting")
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    driver.execute(sql.SQL(WAITING).format(waiting, names, name))
    _copy(connection, waiting, columns)
    driver.execute(sql.SQL(ADMITTED).format(name, names, names, waiting))
    driver.execute(sql.SQL("DROP TABLE {}").format(waiting))


def _copy(connection: sa.Connection, name: sql.Identifier, columns: Mapping[str, pa.Array]) -> None:
    batch = pa.RecordBatch.from_pydict(dict(columns))
    encoder = pgpq.ArrowToPostgresBinaryEncoder(batch.schema)
    statement = sql.SQL(COPY).format(name, sql.SQL(", ").join(map(sql.Identifier, columns)))
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    with driver.cursor() as cursor, cursor.copy(statement) as sink:
        sink.write(encoder.write_header())
        sink.write(encoder.write_batch(batch))
        sink.write(encoder.finish())


def _arrow(column: Column, frame: gpd.GeoDataFrame) -> pa.Array:
    array = pa.Array.from_pandas(frame[column.name])
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array.cast(ARROW_TYPES[column.kind])


def fetch(connection: sa.Connection, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    """Run a query on the connection's own transaction with values in binary form, twice as fast as text."""
    compiled = query.compile(dialect=BINARY)
    driver: psycopg.Connection[tuple[Any, ...]] = connection.connection.driver_connection  # type: ignore[assignment]
    with driver.cursor(binary=True) as cursor:
        cursor.execute(str(compiled).encode(), compiled.params)
        return cursor.fetchall()


def _as_is(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return column


def _microseconds(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.extract("epoch", column) * 1_000_000, sa.BigInteger)


def _days(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return column - sa.literal(EPOCH)


_ON_THE_WIRE: Mapping[Kind, Callable[[sa.Column[Any]], sa.ColumnElement[Any]]] = MappingProxyType(
    {
        "text": _as_is,
        "code": _as_is,
        "integer": _as_is,
        "real": _as_is,
        "boolean": _as_is,
        "instant": _microseconds,
        "date": _days,
    }
)
"""How a column is asked for: times as whole numbers, because a Python object for each costs more than all the rest."""


def _times(unit: str, zone: str | None) -> Callable[[list[int | None], bool], Any]:
    def convert(values: list[int | None], required: bool) -> Any:  # noqa: FBT001 - one of a family
        del required
        counts = pd.array(values, dtype="Int64").to_numpy(dtype=np.int64, na_value=np.iinfo(np.int64).min)
        times = pd.Series(counts.view(f"M8[{unit}]"))
        return times.dt.tz_localize(zone).array if zone else times.astype("M8[s]").array

    return convert


def _array(dtype: str, required_dtype: str) -> Callable[[list[Any], bool], Any]:
    return lambda values, required: pd.array(values, dtype=required_dtype if required else dtype)


_FROM_THE_WIRE: Mapping[Kind, Callable[[list[Any], bool], Any]] = MappingProxyType(
    {
        "text": _array("str", "str"),
        "code": _array("str", "str"),
        "integer": _array("Int64", "int64"),
        "real": lambda values, _: np.array(values, dtype=float),
        "boolean": _array("boolean", "bool"),
        "instant": _times("us", "UTC"),
        "date": _times("D", None),
    }
)
"""How values become an array; a required column needs none of the types that can miss a value."""
