"""Importing files: all or nothing visible, resumable after a kill, the same file twice changes nothing once.

Chunks of rows are copied into a waiting table, each in the transaction that records how far the file has been read.
When all rows have been judged, one transaction makes the good ones visible, or none.
"""

from gis.store.ingest.importer import import_file
from gis.store.ingest.ledger import BatchRow, RowError, batch, batches, row_errors
from gis.store.ingest.options import ImportOptions
from gis.store.ingest.report import ImportReport

__all__ = ["BatchRow", "ImportOptions", "ImportReport", "RowError", "batch", "batches", "import_file", "row_errors"]
