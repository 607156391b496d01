"""Brings networks in, has them analysed, and keeps the work."""
