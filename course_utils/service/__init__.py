"""The course's prediction service: models behind HTTP, with keys, limits and an audit log."""
