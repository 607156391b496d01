"""Small widgets with which views and window are set."""
