"""Joins the document to the views: what they ask for, and what they are told."""
