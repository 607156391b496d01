"""From all that a file holds to the weights of one network."""
