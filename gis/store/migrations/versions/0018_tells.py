"""Of which frames' single places a run tells, and which it was not given as whoever asked does not see them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

WITHOUT = {
    "runs": "frames it was not given, as whoever asked does not see their places",
    "jobs": "frames it is not given, as whoever asked does not see their places",
}
# What was computed before says it by its parameters; the frames are those of the services of that day.
BY_DEMAND = """
UPDATE city.{table} SET tells = ARRAY[{parameters} ->> 'demand']
WHERE (service = 'coverage_gaps' AND {parameters} ->> 'demand' IN ('key_units', 'incidents'))
    OR (service = 'post_siting' AND {parameters} ->> 'demand' = 'rentals')
"""
BY_CANDIDATES = """
UPDATE city.{table} SET tells = ARRAY['key_units'] || tells
WHERE service = 'post_siting' AND {parameters} ->> 'candidates' = 'key_units'
"""
BY_UNIT = """
UPDATE city.{table} SET tells = ARRAY['incidents']
WHERE service = 'eighty_twenty' AND {parameters} ->> 'unit' = 'addresses'
"""
ALWAYS = """
UPDATE city.{table} SET tells = ARRAY['key_units'] WHERE service = 'key_unit_exposure'
"""
# They name rentals by their addresses, which are not for everybody who sees where a rental is.
NAMING = """
DELETE FROM city.{table}
WHERE service = 'event_impact' OR (service = 'coverage_gaps' AND {parameters} ->> 'demand' = 'rentals')
"""
FORGET = "DELETE FROM city.{table} WHERE cardinality(without) > 0"


def upgrade() -> None:
    for table, parameters in (("runs", "(provenance -> 'parameters')"), ("jobs", "parameters")):
        op.add_column(table, _frames("tells", "frames of whose single places it tells"), schema="city")
        op.add_column(table, _frames("without", WITHOUT[table]), schema="city")
        for statement in (NAMING, BY_DEMAND, BY_CANDIDATES, BY_UNIT, ALWAYS):
            op.execute(sa.text(statement.format(table=table, parameters=parameters)))


def _frames(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, pg.ARRAY(sa.Text), nullable=False, server_default="{}", comment=comment)


def downgrade() -> None:
    for table in ("runs", "jobs"):
        # What was computed without a frame would else stand for the whole.
        op.execute(sa.text(FORGET.format(table=table)))
        for name in ("tells", "without"):
            op.drop_column(table, name, schema="city")
