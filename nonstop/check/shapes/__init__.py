"""What a schema looks like, and how two of them differ, as values that scripts can be written from."""
