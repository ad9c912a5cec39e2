"""Numbered steps of schema ``city``; `gis.store.migrate` runs them.

A change of a table comes as a new file in ``versions``, the next number in its name: explicit operations only, never
the models, which will have moved on. A test holds that the steps together give what `gis.store.tables` declares.
"""
