"""The application's own code: its models, found or derived, and what they meet on another schema."""
