"""The faces of wangge: HTTP, command line, worker."""
