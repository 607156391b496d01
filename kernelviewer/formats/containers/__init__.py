"""What lies around checkpoints: folders, archives, parts."""
