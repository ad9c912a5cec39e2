"""What the map can show: one file a layer, found by itself."""
