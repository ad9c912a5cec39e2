"""One table a frame of the city: places and events, with their true geometry and the one for tiles."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Columns = tuple[sa.Column[Any], ...]


def upgrade() -> None:
    _create("districts", "Districts", (_code("code", "Code", required=True), *_names()))
    _create(
        "streets",
        "Streets and towns",
        (_code("code", "Code", required=True), _code("district_code", "District"), *_names()),
    )
    _create(
        "communities",
        "Communities",
        (_code("code", "Code", required=True), _code("street_code", "Street"), *_names()),
    )
    _create(
        "blocks",
        "Blocks",
        (
            _code("code", "Code", required=True),
            _code("community_code", "Community"),
            _code("grid_code", "Grid"),
            _count("households_count", "Households"),
            _count("residents_count", "Residents"),
        ),
    )
    _create_grids()
    _create("beats", "Beats", (_code("code", "Code", required=True), *_names()))
    _create_places()
    _create_incidents()
    _create(
        "segments",
        "Street segments",
        (
            _code("road_class", "Class", required=True),
            *_names(),
            sa.Column("oneway", sa.Boolean, nullable=False, comment="One way"),
            sa.Column("speed_kmh", sa.Float(53), comment="Speed"),
        ),
    )
    _create("water_areas", "Water", _names())


def downgrade() -> None:
    for table in (
        "water_areas",
        "segments",
        "incidents",
        "posts",
        "rentals",
        "key_units",
        "beats",
        "grids",
        "blocks",
        "communities",
        "streets",
        "districts",
    ):
        op.drop_table(table, schema="city")


def _create_grids() -> None:
    _create(
        "grids",
        "Grids",
        (
            _code("code", "Grid code", required=True),
            _code("community_code", "Community"),
            _code("beat_code", "Beat"),
            _code("kind", "Kind", required=True),
            *_names(),
            _count("households_count", "Households"),
            _count("positions_count", "Staff positions"),
            sa.Column("valid_from", sa.Date, nullable=False, comment="Valid from"),
            sa.Column("valid_to", sa.Date, comment="Valid to"),
        ),
        pg.ExcludeConstraint(
            ("city_id", "="),
            ("code", "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            name="ex_grids_code_valid",
            using="gist",
        ),
    )


def _create_places() -> None:
    _create(
        "key_units",
        "Key protection units",
        (
            _code("kind", "Kind", required=True),
            *_names(),
            _code("address", "Address"),
            _count("guards_count", "Guards"),
            _date("last_drill_on", "Last drill"),
            _date("last_inspected_on", "Last inspection"),
            _date("plan_reviewed_on", "Contingency plan reviewed"),
        ),
    )
    _create(
        "rentals",
        "Rental properties",
        (
            _code("kind", "Kind", required=True),
            _code("address", "Address"),
            _count("rooms_count", "Rooms"),
            _count("beds_count", "Beds"),
            sa.Column("area_m2", sa.Float(53), comment="Area"),
            _count("extinguishers_count", "Fire extinguishers"),
            sa.Column("smoke_detectors", sa.Boolean, comment="Smoke detectors"),
            _date("last_inspected_on", "Last inspection"),
        ),
    )
    _create("posts", "Posts", (_code("kind", "Kind", required=True), *_names(), _count("positions_count", "Positions")))


def _create_incidents() -> None:
    _create(
        "incidents",
        "Incidents",
        (
            sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False, comment="Occurred at"),
            sa.Column("occurred_until_at", sa.DateTime(timezone=True), comment="Occurred until"),
            sa.Column("reported_at", sa.DateTime(timezone=True), comment="Reported at"),
            _code("category", "Category", required=True),
            _code("origin", "Origin", required=True),
            _code("grid_code", "Grid it was filed in"),
            _code("address", "Place"),
            sa.Column("location_withheld", sa.Boolean, nullable=False, comment="Location withheld"),
        ),
        geometry_required=False,
        time_column="occurred_at",
    )


def _code(name: str, comment: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=not required, comment=comment)


def _names() -> Columns:
    return _code("name_zh", "Name (Chinese)"), _code("name_en", "Name (English)")


def _count(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, comment=comment)


def _date(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Date, comment=comment)


def _create(
    name: str,
    comment: str,
    columns: Columns,
    *constraints: sa.Constraint,
    geometry_required: bool = True,
    time_column: str | None = None,
) -> None:
    """Create a frame's table and its indexes; those of geometry carry the time as well, where there is one."""
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("city_id", sa.SmallInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False, comment="which file or system the row came from"),
        _code("source_id", "Source id", required=True),
        *columns,
        sa.Column("batch_id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=not geometry_required),
        sa.Column(
            "geom_3857",
            Geometry("GEOMETRY", srid=3857, spatial_index=False),
            sa.Computed("ST_Transform(geom, 3857)", persisted=True),
        ),
        sa.CheckConstraint("ST_IsValid(geom)", name=op.f(f"ck_{name}_geom_valid")),
        sa.ForeignKeyConstraint(["batch_id"], ["city.import_batches.id"], name=op.f(f"fk_{name}_batch_id")),
        sa.ForeignKeyConstraint(["city_id"], ["city.profiles.id"], name=op.f(f"fk_{name}_city_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("city_id", "source", "source_id", name=op.f(f"uq_{name}_city_id_source_source_id")),
        *constraints,
        schema="city",
        comment=comment,
    )
    times = [time_column] if time_column else []
    for geometry in ("geom", "geom_3857"):
        op.create_index(f"ix_{name}_{geometry}", name, [geometry, *times], schema="city", postgresql_using="gist")
    for column in (*(["code"] if any(c.name == "code" for c in columns) else []), *times):
        op.create_index(f"ix_{name}_{column}", name, ["city_id", column], schema="city")
