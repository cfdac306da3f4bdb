"""The ten most frequent tasks of each of the five people, as docs/tasks.md lists them."""
