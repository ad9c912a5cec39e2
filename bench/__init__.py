"""One file a claim: how fast, against what, on which input."""
