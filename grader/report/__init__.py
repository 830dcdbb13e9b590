"""Reports: worded once (`document`), then written in one format per file."""
