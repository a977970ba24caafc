"""A store's folders as Internet mail sees them: names, UIDs, flags, bytes and changes."""
