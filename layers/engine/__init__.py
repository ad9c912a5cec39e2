"""From the declaration of a layer to its many faces."""
