"""The commands of ``wangge``, one file a subject."""
