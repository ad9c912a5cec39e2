"""Points of the big frames counted by cells of tiles, kept by triggers in the transaction that changes them."""

from __future__ import annotations

from string import Template

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

FRAMES = ("incidents", "rentals", "key_units")

# How many points each change adds to each cell: a place in whole units of zoom 22 (4096 a tile), shifted to the cell.
# Added up once for the cells of zoom 12, and from those for all smaller scales. In one order of keys, so that two
# changes wait for one another instead of both failing.
COUNT = """
WITH changed AS (CHANGED),
placed AS MATERIALIZED (
    SELECT id, city_id, coalesce(area_id, 0) AS area_id, sign,
        CASE WHEN ST_Dimension(geom_3857) = 0 THEN geom_3857 ELSE ST_PointOnSurface(geom_3857) END AS point
    FROM changed WHERE geom_3857 IS NOT NULL
),
measured AS MATERIALIZED (
    SELECT id, city_id, area_id, sign,
        floor((ST_X(point) + 20037508.342789244) / (40075016.685578488 / 17179869184))::bigint AS east,
        floor((20037508.342789244 - ST_Y(point)) / (40075016.685578488 / 17179869184))::bigint AS south
    FROM placed
),
finest AS MATERIALIZED (
    SELECT city_id, area_id, (east >> 16)::integer AS gx, (south >> 16)::integer AS gy,
        sum(sign) AS n, sum(sign * east) AS east, sum(sign * south) AS south, bit_xor(id) AS ids
    FROM measured WHERE east >> 34 = 0 AND south >> 34 = 0 GROUP BY 1, 2, 3, 4
)
INSERT INTO city.tile_cells AS had (city_id, frame, zoom, x, y, cell, area_id, n, east, south, ids)
SELECT city_id, $1, zoom, gx >> (18 - zoom), gy >> (18 - zoom),
    (gy >> (12 - zoom) & 63) * 64 + (gx >> (12 - zoom) & 63), area_id,
    sum(n), sum(east), sum(south), bit_xor(ids)
FROM finest, generate_series(0, 12) AS zoom
GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (city_id, frame, zoom, x, y, cell, area_id) DO UPDATE
SET n = had.n + excluded.n, east = had.east + excluded.east, south = had.south + excluded.south,
    ids = had.ids # excluded.ids
"""

# Planned anew for each statement, because a plan for one row is none for a million. A row of which neither place nor
# area changed counts as it did.
KEEP = """
CREATE FUNCTION city.keep_tile_cells() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
    moved constant text := '(a.city_id, a.area_id, a.geom_3857) IS DISTINCT FROM (r.city_id, r.area_id, r.geom_3857)';
    changed constant text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT id, city_id, area_id, geom_3857, 1 AS sign FROM added'
        WHEN 'DELETE' THEN 'SELECT id, city_id, area_id, geom_3857, -1 AS sign FROM removed'
        ELSE 'SELECT a.id, a.city_id, a.area_id, a.geom_3857, 1 AS sign FROM added a JOIN removed r USING (id) WHERE '
            || moved || ' UNION ALL SELECT r.id, r.city_id, r.area_id, r.geom_3857, -1 FROM added a JOIN removed r '
            || 'USING (id) WHERE ' || moved
        END;
BEGIN
    EXECUTE replace($query$COUNT$query$, 'CHANGED', changed) USING TG_TABLE_NAME::text;
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM city.tile_cells WHERE frame = TG_TABLE_NAME AND n = 0;
    END IF;
    RETURN NULL;
END
$function$
""".replace("COUNT", COUNT)

EMPTY = """
CREATE FUNCTION city.empty_tile_cells() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    DELETE FROM city.tile_cells WHERE frame = TG_TABLE_NAME;
    RETURN NULL;
END
$function$
"""

EVENTS = {
    "insert": "INSERT ON city.$frame REFERENCING NEW TABLE AS added",
    "update": "UPDATE ON city.$frame REFERENCING OLD TABLE AS removed NEW TABLE AS added",
    "delete": "DELETE ON city.$frame REFERENCING OLD TABLE AS removed",
    "truncate": "TRUNCATE ON city.$frame",
}
TRIGGER = "CREATE TRIGGER count_$event AFTER $when FOR EACH STATEMENT EXECUTE FUNCTION city.$function()"
PRESENT = Template("SELECT id, city_id, area_id, geom_3857, 1 AS sign FROM city.$frame")


def upgrade() -> None:
    op.create_table(
        "tile_cells",
        sa.Column("city_id", sa.SmallInteger, nullable=False),
        sa.Column("frame", sa.Text, nullable=False),
        sa.Column("zoom", sa.SmallInteger, nullable=False),
        sa.Column("x", sa.SmallInteger, nullable=False, comment="column of the tile"),
        sa.Column("y", sa.SmallInteger, nullable=False, comment="row of the tile"),
        sa.Column(
            "cell", sa.SmallInteger, nullable=False, comment="row times 64 plus column, from the north-west corner"
        ),
        sa.Column("area_id", sa.Integer, nullable=False, comment="of the points; 0 where they lie in no area"),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("east", sa.BigInteger, nullable=False, comment="sum of the points' places, in units of zoom 22"),
        sa.Column("south", sa.BigInteger, nullable=False),
        sa.Column("ids", sa.BigInteger, nullable=False, comment="the points' keys, exclusive or: of one point its key"),
        sa.PrimaryKeyConstraint("city_id", "frame", "zoom", "x", "y", "cell", "area_id", name=op.f("pk_tile_cells")),
        schema="city",
        comment="Points of a frame by cell of a tile; whole numbers, so that any order of changes gives the same.",
    )
    op.create_index(
        "ix_tile_cells_empty", "tile_cells", ["city_id", "frame"], schema="city", postgresql_where=sa.text("n = 0")
    )
    connection = op.get_bind()
    connection.exec_driver_sql(KEEP)
    connection.exec_driver_sql(EMPTY)
    for frame in FRAMES:
        for event, when in EVENTS.items():
            function = "empty_tile_cells" if event == "truncate" else "keep_tile_cells"
            trigger = Template(TRIGGER.replace("$when", when))
            connection.exec_driver_sql(trigger.substitute(event=event, frame=frame, function=function))
        count = COUNT.replace("CHANGED", PRESENT.substitute(frame=frame)).replace("$1", "%s")
        connection.exec_driver_sql(count, (frame,))


def downgrade() -> None:
    connection = op.get_bind()
    drop = Template("DROP TRIGGER count_$event ON city.$frame")
    for frame in FRAMES:
        for event in EVENTS:
            connection.exec_driver_sql(drop.substitute(event=event, frame=frame))
    connection.exec_driver_sql("DROP FUNCTION city.keep_tile_cells()")
    connection.exec_driver_sql("DROP FUNCTION city.empty_tile_cells()")
    op.drop_table("tile_cells", schema="city")
