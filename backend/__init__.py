"""The backend: queues commands, tracks acknowledgments and retries, keeps the history."""

from protocol import image_verbs

image_verbs.add()  # a board knows them only where it has a camera
