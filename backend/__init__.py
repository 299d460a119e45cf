"""The backend: queues commands, tracks acknowledgments and retries, keeps the history."""
