"""Arrays in, arrays out: numpy, scipy and numba, no tables and no geometry objects."""
