"""Redrawing the grids: plans of blocks, the rules they keep, the actions that change them, proposals and comparisons.

Pure: no database, no server. A plan assigns blocks to grids; the shapes of grids follow from it.
"""
