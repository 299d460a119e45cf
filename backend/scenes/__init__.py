"""Scenes: what boards, sound and picture do on a timeline, as a museum's own scene files say it.

Rules of this package:
- a scene is a file, read and checked as a whole before any of it is kept (`schema`, `checks`);
- a run plays the file as it was when the run began, by planned times that never drift (`run`);
- a step that belongs to a board is an ordinary command, with the cause `scene/ID/RUN`, which waits
  for LIFE_S at most: what could not be sent in time is not sent later (`steps`);
- a run is never taken up in the middle: one whose backend was killed, or that is more than
  BEHIND_MS late, ends as INTERRUPTED and its outputs go to their safe state (`part`).
"""
