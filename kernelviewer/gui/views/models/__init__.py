"""The open networks and their layers, as a tree."""
