"""The audit log: who saw, took away and changed what, as a chain of rows that can only be added to.

A row holds no row of a layer, no secret and no value of a filter: names of properties, rounded boxes and counts.
"""

from gis.store.audit.anchor import Anchor, anchor_file, anchor_hourly, anchored, anchors_of, read_anchors
from gis.store.audit.asker import CONSOLE, SERVER, Asker, Trail, asking, trail
from gis.store.audit.book import head, read, record, record_all, retain
from gis.store.audit.chain import GENESIS, Fault, Report, check, digest, verify
from gis.store.audit.entry import ACTIONS, Action, Entry, Row, rounded

__all__ = [
    "ACTIONS",
    "CONSOLE",
    "GENESIS",
    "SERVER",
    "Action",
    "Anchor",
    "Asker",
    "Entry",
    "Fault",
    "Report",
    "Row",
    "Trail",
    "anchor_file",
    "anchor_hourly",
    "anchored",
    "anchors_of",
    "asking",
    "check",
    "digest",
    "head",
    "read",
    "read_anchors",
    "record",
    "record_all",
    "retain",
    "rounded",
    "trail",
    "verify",
]
