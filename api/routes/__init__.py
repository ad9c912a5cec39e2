"""What one can ask, one file a subject."""
