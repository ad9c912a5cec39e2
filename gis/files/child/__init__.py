"""What runs in the reading process: bytes of strangers in, an Arrow stream of plain columns and clean WKB out.

Nothing here is trusted to survive its input; `gis.files.sandbox` limits it and kills it.
"""
