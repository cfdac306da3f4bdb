"""Programs without anything of ours, for what is compared with; each runs by itself."""
