"""Runs in a queue: our own state in ``city.jobs``, procrastinate behind it.

`city.jobs` is the truth. The queue only says who works on what now; it may be lost at any time and is made again from
the jobs that are not done.
"""

from gis.store.jobs.book import By, Job, State, Wanted, counts, dismiss, get, list_, submit
from gis.store.jobs.claim import Cancelled, Finish, Interrupted, Progress, unwatched
from gis.store.jobs.queue import ensure_queue, has_worker
from gis.store.jobs.worker import work

__all__ = [
    "By",
    "Cancelled",
    "Finish",
    "Interrupted",
    "Job",
    "Progress",
    "State",
    "Wanted",
    "counts",
    "dismiss",
    "ensure_queue",
    "get",
    "has_worker",
    "list_",
    "submit",
    "unwatched",
    "work",
]
