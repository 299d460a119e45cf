"""The tests' desk is that of the backend's own tests."""

from tests.backend.conftest import desk as desk
