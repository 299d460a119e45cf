"""The way to and from brokers: connections, topics, what comes in and what goes out."""
