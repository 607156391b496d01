"""What surrounds the views: their panels, and where these lie."""
