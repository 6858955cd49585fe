"""The file `encryption_context`: maps and JSON texts, and their canonical bytes."""
