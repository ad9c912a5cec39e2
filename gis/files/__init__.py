"""Files of other systems, read and written: one format a row in `formats`, and every read in a process of its own."""
