"""What surrounds the views: panels, layouts, the lines above and below, keys."""
