"""WebDAV-Push (draft-bitfire-webdav-push-00): clients are told over Web Push that a collection has changed."""
